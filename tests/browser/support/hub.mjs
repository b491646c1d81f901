// A hub of models on this machine, whose downloads can be made to break off.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeSmallModel } from "./small-model.mjs";

/** Serves the folders within a folder as models: `ORG/NAME/resolve/main/PATH` is the file PATH of the folder NAME. */
export class Hub {
  /** Requests as `NAME/PATH`, followed by the range that was asked for, in their order. */
  requests = [];
  /** Bytes after which weights break off that are asked for from their beginning; they do not if undefined. */
  breakAfter;
  /** The byte at which weights stop coming, and the connection stays. */
  stallAfter;
  /** How ranges are answered: to the end if undefined, not at all (`"refused"`), or with at most so many bytes. */
  ranges;
  /** A status that everything is answered with. */
  status;
  #folder;

  constructor(folder) {
    this.#folder = folder;
  }

  /** Writes two models into its folder, `encoder` and `cross`, large enough for a download to break off. */
  addSmallModels() {
    const shape = { hidden: 32, heads: 2, inner: 64 };
    writeSmallModel(join(this.#folder, "encoder"), "encoder", shape);
    writeSmallModel(join(this.#folder, "cross"), "crossEncoder", shape);
  }

  /** What was asked for of a model's weights. */
  weights(name) {
    return this.requests.filter((request) => request.startsWith(`${name}/model.safetensors`));
  }

  /** A route of `serve`. */
  route = (request, response, rest) => {
    const [, name, , , ...path] = rest.split("/");
    const file = join(this.#folder, name, ...path);
    const { range } = request.headers;
    this.requests.push(`${name}/${path.join("/")}${range ? ` ${range}` : ""}`);
    if (this.status !== undefined) return response.writeHead(this.status).end();
    if (range && this.ranges === "refused") return response.destroy();
    if (!existsSync(file)) return response.writeHead(404).end();
    const whole = readFileSync(file);
    const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const end = range && this.ranges !== undefined ? Math.min(whole.length, from + this.ranges) : whole.length;
    response.writeHead(range ? 206 : 200, {
      etag: `"${createHash("md5").update(whole).digest("hex")}"`,
      "content-length": end - from,
      ...(range && { "content-range": `bytes ${from}-${end - 1}/${whole.length}` }),
    });
    const isWeights = file.endsWith("model.safetensors");
    if (isWeights && from < this.stallAfter) return response.write(whole.subarray(from, this.stallAfter));
    const breaks = isWeights && from === 0 && this.breakAfter !== undefined;
    if (!breaks) return response.end(whole.subarray(from, end));
    // What was written has to arrive before the connection ends.
    return response.write(whole.subarray(0, this.breakAfter), () => setTimeout(() => response.destroy(), 300));
  };
}
