// The runner's score store: logs of chunks in a folder that survive whatever ends the process.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FolderStore } from "../../pkg/cli/store.mjs";

const made = [];
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), "querytune-store-"));
  made.push(folder);
  return folder;
}

async function filled(folder) {
  const store = new FolderStore(folder);
  await store.append("logits", Uint8Array.of(1, 2, 3));
  await store.append("logits", Uint8Array.of(4));
  store.close();
  return join(folder, "logits.log");
}

test("a log never written is empty", async () => {
  assert.equal(await new FolderStore(temporary()).count("logits"), 0);
});

test("chunks come back in order from another process's store", async () => {
  const folder = temporary();
  await filled(folder);
  const store = new FolderStore(folder);
  assert.equal(await store.count("logits"), 2);
  assert.deepEqual(await store.read("logits", 0), Uint8Array.of(1, 2, 3));
  assert.deepEqual(await store.read("logits", 1), Uint8Array.of(4));
  await assert.rejects(store.read("logits", 2), RangeError);
});

test("logs do not mix, whatever their names", async () => {
  const store = new FolderStore(temporary());
  const names = ["a", "a/b", "../a", ".", "..", "a b", "a%2Fb", "é", "A*"];
  for (const [i, name] of names.entries()) await store.append(name, Uint8Array.of(i));
  for (const [i, name] of names.entries()) {
    assert.equal(await store.count(name), 1, name);
    assert.deepEqual(await store.read(name, 0), Uint8Array.of(i), name);
  }
});

test("a folder that another job uses is refused, one that a killed job left is not", async () => {
  const folder = temporary();
  const store = new FolderStore(folder);
  assert.throws(() => new FolderStore(folder), /Process \d+ is using .*choose another --store/);
  store.close();
  new FolderStore(folder).close();
  const killed = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(folder, "lock"), String(killed));
  new FolderStore(folder).close();
});

test("a lock that names this very process is another container's, unless this process holds the folder", async () => {
  const folder = temporary();
  writeFileSync(join(folder, "lock"), String(process.pid));
  const store = new FolderStore(folder);
  assert.throws(() => new FolderStore(folder), /using/);
  assert.throws(() => new FolderStore(`${folder}/.`), /using/);
  store.close();
  new FolderStore(folder).close();
});

test("a lock whose process has not written its number yet is waited for", async () => {
  const lock = join(temporary(), "lock");
  const script = `
    const { writeFileSync } = require("node:fs");
    writeFileSync(process.argv[1], "", { flag: "wx" });
    process.stdout.write("made");
    setTimeout(() => writeFileSync(process.argv[1], String(process.pid)), 300);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--eval", script, lock], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    assert.throws(() => new FolderStore(join(lock, "..")), new RegExp(`Process ${child.pid} is using`));
  } finally {
    child.kill();
  }
});

test("a lock that stays empty is of a process that was killed", () => {
  const folder = temporary();
  writeFileSync(join(folder, "lock"), "");
  new FolderStore(folder).close();
});

test("the message names the lock, for whoever knows better", () => {
  const folder = temporary();
  writeFileSync(join(folder, "lock"), String(process.ppid));
  assert.throws(
    () => new FolderStore(folder),
    ({ message }) =>
      message.includes(`Process ${process.ppid} is`) && message.includes(`delete ${join(folder, "lock")}`),
  );
});

test("a process that ends in the middle of its work leaves no lock", () => {
  const folder = temporary();
  const store = new URL("../../pkg/cli/store.mjs", import.meta.url).href;
  const script = `
    const { FolderStore } = await import(${JSON.stringify(store)});
    const { Interrupt } = await import(${JSON.stringify(new URL("interrupt.mjs", store).href)});
    new FolderStore(${JSON.stringify(folder)});
    const interrupt = new Interrupt(() => {});
    interrupt.stop();
    interrupt.stop();`;
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  assert.equal(status, 130);
  assert.equal(existsSync(join(folder, "lock")), false);
});

test("a chunk cut short by a crash is dropped, and the next one is kept", async () => {
  const folder = temporary();
  const file = await filled(folder);
  truncateSync(file, statSync(file).size - 1);
  const store = new FolderStore(folder);
  assert.equal(await store.count("logits"), 1);
  await store.append("logits", Uint8Array.of(9));
  store.close();
  const again = new FolderStore(folder);
  assert.equal(await again.count("logits"), 2);
  assert.deepEqual(await again.read("logits", 1), Uint8Array.of(9));
});

test("what a power cut may leave behind the last chunk is no chunk", async () => {
  for (const rest of [Buffer.alloc(64), Buffer.from([3, 0, 0, 0, 9, 9, 9, 9, 1, 2, 3])]) {
    const folder = temporary();
    appendFileSync(await filled(folder), rest);
    assert.equal(await new FolderStore(folder).count("logits"), 2);
  }
});

test("a log larger than a buffer can be is opened", async () => {
  const folder = temporary();
  // The rest of it takes no room on the disk.
  truncateSync(await filled(folder), 5 * 2 ** 30);
  const store = new FolderStore(folder);
  assert.equal(await store.count("logits"), 2);
  assert.deepEqual(await store.read("logits", 1), Uint8Array.of(4));
});

test("chunks of all sizes are found again, wherever the pieces end in which a log is read", async () => {
  const folder = temporary();
  const store = new FolderStore(folder);
  const sizes = [0, 5, 2 ** 20 - 30, 3, 1, 2 ** 20, 2 ** 21 + 7, 0, 12];
  const chunks = sizes.map((size, i) => Uint8Array.from({ length: size }, (_, at) => (at * 31 + i) & 255));
  for (const chunk of chunks) await store.append("vectors", chunk);
  store.close();
  const again = new FolderStore(folder);
  assert.equal(await again.count("vectors"), sizes.length);
  for (const [i, chunk] of chunks.entries()) assert.deepEqual(await again.read("vectors", i), chunk, `${i}`);
});
