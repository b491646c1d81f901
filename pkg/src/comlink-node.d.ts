// comlink has this module's types under a name at which nothing looks.
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { Endpoint } from "comlink";
  export interface NodeEndpoint {
    postMessage(message: unknown, transfer?: unknown[]): void;
    on(type: string, listener: unknown): void;
    off(type: string, listener: unknown): void;
    start?(): void;
  }
  export default function nodeEndpoint(of: NodeEndpoint): Endpoint;
}
