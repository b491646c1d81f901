/** Where the models run, and in which numbers. */

/** Where the models run. `auto` takes WebGPU where it is there and passes the self-test, else the CPU. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/**
 * The numbers of the models' linear layers: `int16` (the CPU only: up to twice as fast, nearly the same numbers),
 * `int8` (the CPU only: faster still where the browser has relaxed SIMD, numbers that are only near) or `fp32`. `auto`
 * takes `int16` on the CPU, `fp32` on WebGPU.
 */
export type DtypeChoice = "auto" | Dtype;

/** See `DtypeChoice`. */
export type Dtype = "fp32" | "int16" | "int8";

declare global {
  // Where the DOM's types are not in use, as in Node, there is none.
  namespace WebAssembly {
    interface Module {}
  }
}

/** The WebAssembly binary: where it is, its bytes, or the compiled module. */
export type WasmSource = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;

/** A model as loaded. */
export interface ModelInfo {
  /** Its hub id, or the name of its folder. */
  id: string;
  /** Of its weights (`model.safetensors`), in hexadecimal. */
  sha256: string;
  /** Transformer layers. */
  layers: number;
  /** Hidden size. */
  dims: number;
  /** Tokens a text is cut at. */
  maxLength: number;
}

/** What runs, and where. */
export interface EngineInfo {
  version: string;
  device: {
    kind: "webgpu" | "cpu";
    dtype: Dtype;
    adapter: string;
    /** Why this device was chosen. */
    reason: string;
  };
  /** Workers that share the models' work, each with the models in its memory: one for WebGPU. */
  threads: number;
  /** Without a cross-encoder where none was loaded. */
  models: { encoder: ModelInfo; crossEncoder?: ModelInfo };
}
