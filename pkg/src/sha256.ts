/** SHA-256 by the browser, which has instructions for it. */

/** In hexadecimal; nothing on insecure origins, where there is no `crypto.subtle`. */
export async function sha256(bytes: Uint8Array): Promise<string | undefined> {
  const hash = await globalThis.crypto?.subtle?.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return hash && Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
