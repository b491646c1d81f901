/** The beginning of a file, for a look at how it is laid out; the engine reads all of it. */

/** So much of a file is looked at. */
const BEGINNING = 64 * 1024;

export interface Beginning {
  text: string;
  /** By its label of the Encoding Standard. */
  encoding: string;
  /** Whether the file goes on: its last line may then be cut off. */
  isCut: boolean;
}

/** Decodes by the label that is asked for, else by the byte order mark, else as UTF-8 if it is, else as windows-1252. */
export async function beginning(file: File, asked?: string): Promise<Beginning> {
  const bytes = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  const isCut = file.size > bytes.length;
  for (const label of [asked, marked(bytes), "utf-8"]) {
    try {
      // A letter that is cut in two at the end is no fault of the file.
      if (label) return { text: decoded(bytes, label, { stream: isCut }), encoding: label, isCut };
    } catch {
      // The next one.
    }
  }
  return { text: decoded(bytes, "windows-1252"), encoding: "windows-1252", isCut };
}

function marked([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

/** Without the further marks that files glued together have at their beginning. */
function decoded(bytes: Uint8Array<ArrayBuffer>, label: string, options?: TextDecodeOptions): string {
  return new TextDecoder(label, { fatal: true }).decode(bytes, options).replace(/^\ufeff+/, "");
}
