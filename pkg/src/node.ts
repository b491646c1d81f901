/**
 * What only Node has. Its modules are imported in a way that no bundler for the browser follows, and described here as
 * far as they are used.
 */

/** A module of Node's own. */
export function builtin<T>(name: string): Promise<T> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`);
}

/** Node's file functions. */
export function nodeFiles(): Promise<{ readFile(path: URL): Promise<Uint8Array<ArrayBuffer>> }> {
  return builtin("fs/promises");
}

/** Whether this is Node itself: others that have its modules differ in what their threads can do. */
export function isNode(): boolean {
  const { process, Deno, Bun } = globalThis as {
    process?: { versions?: { node?: string } };
    Deno?: unknown;
    Bun?: unknown;
  };
  return typeof process?.versions?.node === "string" && !Deno && !Bun;
}
