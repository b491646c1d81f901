// The runner's page: takes a job from the script that opened it, runs it, sends the results back.

import { runJob } from "./cli/job.mjs";
import { open } from "./pkg/index.js";

const controller = new AbortController();

async function request(path, init) {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response;
}

/** The score store: a folder of the machine, by way of the server. */
const store = {
  count: async (log) => Number(await (await request(`store/${encodeURIComponent(log)}/count`)).text()),
  read: async (log, chunk) =>
    new Uint8Array(await (await request(`store/${encodeURIComponent(log)}/${chunk}`)).arrayBuffer()),
  append: async (log, bytes) => {
    await request(`store/${encodeURIComponent(log)}`, { method: "POST", body: bytes });
  },
};

async function fetchFile(file, role) {
  const bytes = new Uint8Array(await (await request(`input/${role}`)).arrayBuffer());
  return { ...file, bytes };
}

globalThis.querytuneRunner = {
  cancel: () => controller.abort(),
  /** Runs a job; the answer is `{ report }` or `{ failure }`, both plain data. */
  run: async (job) => {
    try {
      const files = {};
      for (const [role, file] of Object.entries(job.files)) files[role] = await fetchFile(file, role);
      const models = {
        encoder: new URL(job.models.encoder, document.baseURI),
        crossEncoder: new URL(job.models.crossEncoder, document.baseURI),
      };
      const report = await runJob(
        open,
        { ...job, files, models, session: { store } },
        {
          progress: globalThis.querytuneProgress,
          note: globalThis.querytuneNote,
          output: (name, data) => request(`output/${name}`, { method: "POST", body: data }),
          signal: controller.signal,
        },
      );
      return { report };
    } catch (error) {
      const { name, message, code, position, stack } = error;
      return { failure: { name, message, code, position, stack } };
    }
  },
};
