/** Starting the engine: its WebAssembly module, and which devices it can reach. */

import { QuerytuneError } from "./errors.js";
import { nodeFiles } from "./node.js";
import type { DeviceChoice, WasmSource } from "./types.js";
import init from "./wasm/querytune.js";

let started: Promise<WebAssembly.Module> | undefined;

/** Instantiates the WebAssembly module, once in a thread: later sources are not looked at. Resolves to the module. */
export async function start(wasm: WasmSource | undefined): Promise<WebAssembly.Module> {
  started ??= instantiate(wasm ?? new URL("./wasm/querytune_bg.wasm", import.meta.url));
  try {
    return await started;
  } catch (cause) {
    started = undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuerytuneError(
      "internal",
      `The WebAssembly module could not be started: ${why}. Check that it is served and that the page's ` +
        "Content-Security-Policy has 'wasm-unsafe-eval' in script-src.",
      { cause },
    );
  }
}

async function instantiate(wasm: WasmSource): Promise<WebAssembly.Module> {
  const module = await compile(wasm);
  await init({ module_or_path: module });
  return module;
}

async function compile(wasm: WasmSource): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  const source = typeof wasm === "string" ? new URL(wasm, globalThis.location?.href) : wasm;
  if (source instanceof URL && source.protocol === "file:") {
    return WebAssembly.compile(await (await nodeFiles()).readFile(source));
  }
  if (!(source instanceof URL || source instanceof Response)) return WebAssembly.compile(source as BufferSource);
  const response = source instanceof URL ? await fetch(source) : source;
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${response.url}`);
  // What a server calls by another name cannot be compiled while it comes.
  const named = response.headers.get("content-type")?.startsWith("application/wasm");
  return named ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * The device to ask for. The engine looks for WebGPU in pages and dedicated workers only, and would end anywhere else,
 * such as in Node.
 */
export function reachable(device: DeviceChoice | undefined): DeviceChoice | undefined {
  if ("Window" in globalThis || "DedicatedWorkerGlobalScope" in globalThis) return device;
  if (device === "webgpu") {
    throw new QuerytuneError("device-unavailable", "WebGPU is not available outside of browsers; the CPU always is.");
  }
  return device === undefined || device === "auto" ? "cpu" : device;
}
