// The loopback server of the runner and of the demo: what it gives out, and what not.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { file, folder, serve } from "../../scripts/lib/server.mjs";

let base;
let server;

before(async () => {
  base = mkdtempSync(join(tmpdir(), "querytune-server-"));
  mkdirSync(join(base, "public", "deep"), { recursive: true });
  writeFileSync(join(base, "secret.txt"), "secret");
  writeFileSync(join(base, "public", "index.html"), "<p>");
  writeFileSync(join(base, "public", "deep", "a b.json"), "{}");
  writeFileSync(join(base, "public", "x.wasm"), "x");
  server = await serve({
    "/": folder(join(base, "public")),
    "/public-secret": file(join(base, "secret.txt")),
    "/fails/": () => {
      throw new Error("broken");
    },
  });
});

after(async () => {
  await server.close();
  rmSync(base, { recursive: true });
});

/** A request as it is written, without the clean-up that `fetch` does. */
function raw(path, { method = "GET", host } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.address);
    const headers = host ? { host } : {};
    const sent = request({ hostname, port, path, method, headers }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
    });
    sent.on("error", reject).end();
  });
}

test("files come with their type, size and strict headers", async () => {
  const { status, headers, body } = await raw("/deep/a%20b.json");
  assert.equal(status, 200);
  assert.equal(body, "{}");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["content-length"], "2");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["cross-origin-opener-policy"], "same-origin");
});

test("the wasm type is the one that browsers compile while they download", async () => {
  assert.equal((await raw("/x.wasm")).headers["content-type"], "application/wasm");
});

test("a folder stands for its index.html", async () => assert.equal((await raw("/")).body, "<p>"));

test("HEAD gives the size and no body", async () => {
  const { headers, body } = await raw("/deep/a%20b.json", { method: "HEAD" });
  assert.equal(headers["content-length"], "2");
  assert.equal(body, "");
});

test("nothing outside the folder is given out", async () => {
  for (const path of [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/deep/%2e%2e%2f%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
  ]) {
    assert.equal((await raw(path)).status, 404, path);
  }
});

test("a missing file, a zero byte, a broken escape and a failing handler are answered", async () => {
  assert.equal((await raw("/nothing")).status, 404);
  assert.equal((await raw("/a%00b")).status, 404);
  assert.equal((await raw("/%zz")).status, 400);
  assert.equal((await raw("/fails/")).status, 500);
});

test("nothing can be written to a folder", async () => {
  assert.equal((await raw("/x.wasm", { method: "POST" })).status, 405);
});

test("a foreign host name is turned away", async () => {
  assert.equal((await raw("/", { host: "evil.example" })).status, 403);
});

test("the longest route wins", async () => assert.equal((await raw("/public-secret")).body, "secret"));

test("a taken port is followed by the next one", async () => {
  const { port } = new URL(server.address);
  const second = await serve({}, { port: Number(port) });
  assert.notEqual(new URL(second.address).port, port);
  await second.close();
});
