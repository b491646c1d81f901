// Command lines by a table of options: help, values, and words for what makes no sense.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "./terminal.mjs";

/** Changes of one letter that lead from one word to the other. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** The known word that was probably meant; undefined if none is near. */
export function nearest(word, known) {
  const [first] = [...known].sort((a, b) => distance(word, a) - distance(word, b));
  return first !== undefined && distance(word, first) <= Math.max(2, word.length / 3) ? first : undefined;
}

/** Without what was not given. */
export function given(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

const isOption = (line) => line.length === 3;

/**
 * The options as help shows them. Lines of the table: `[heading]`, or `[name, value, text]`, where `value` stands for
 * what is to be given; options that are only there or not have `undefined`.
 */
export function optionLines(table) {
  const shown = ([name, value]) => `  --${name}${value === undefined ? "" : ` ${value}`}`;
  const width = Math.max(...table.filter(isOption).map((line) => shown(line).length)) + 2;
  return table.flatMap((line) => (isOption(line) ? `${shown(line).padEnd(width)}${line[2]}` : ["", `${line[0]}:`]));
}

/** One command's arguments. All methods throw a `UsageError` that says what is wrong. */
export class Arguments {
  /** What belongs to no option. */
  positionals = [];
  #values = {};
  #table;
  #help;
  #folder;

  /** `help`: the command that shows help. `folder`: where paths start. */
  constructor(table, { help, folder = process.cwd() }) {
    this.#table = table.filter(isOption);
    this.#help = help;
    this.#folder = folder;
  }

  wrong(message) {
    return new UsageError(`${message}\nSee ${this.#help}`);
  }

  /** Reads what was given; at most so many arguments may belong to no option. */
  read(args, positionals = 0) {
    const options = Object.fromEntries(
      this.#table.map(([name, value]) => [name, { type: value === undefined ? "boolean" : "string" }]),
    );
    options.help = { type: "boolean", short: "h" };
    const { values, tokens } = parseArgs({ args, options, strict: false, tokens: true });
    for (const token of tokens) {
      if (token.kind === "positional") {
        if (this.positionals.length >= positionals) throw this.wrong(`"${token.value}" belongs to no option.`);
        this.positionals.push(token.value);
      }
      if (token.kind !== "option") continue;
      const option = options[token.name];
      if (!option) throw this.#unknown(token.rawName);
      const { value, inlineValue } = token;
      if (option.type === "boolean") {
        if (value !== undefined) throw this.wrong(`--${token.name} takes no value.`);
      } else if (value === undefined || value === "" || (!inlineValue && value.startsWith("--"))) {
        throw this.wrong(`--${token.name} needs a value.`);
      }
    }
    this.#values = values;
    return this;
  }

  #unknown(raw) {
    const name = raw.replace(/^-+/, "");
    const known = nearest(name, ["help", ...this.#table.map(([one]) => one)]);
    return this.wrong(`There is no option ${raw}.${known ? ` Do you mean --${known}?` : ""}`);
  }

  /** What was given for an option. */
  get(name) {
    return this.#values[name];
  }

  /** A path, absolute. */
  path(name) {
    const value = this.#values[name];
    return value === undefined ? undefined : resolve(this.#folder, value);
  }

  /** A whole number. */
  whole(name, least) {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least) {
      throw this.wrong(`--${name} must be a whole number, at least ${least}; it is "${value}".`);
    }
    return number;
  }

  oneOf(name, choices, otherwise) {
    const value = this.#values[name] ?? otherwise;
    if (value !== undefined && !choices.includes(value)) {
      throw this.wrong(`--${name} must be one of ${choices.join(", ")}; it is "${value}".`);
    }
    return value;
  }

  /** The path of a file that is there. */
  file(name) {
    const path = this.path(name);
    if (path !== undefined) this.#existing(path, `--${name}`, "file");
    return path;
  }

  /** A JSON object, as it stands or in a file whose name ends with `.json`. */
  object(name) {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const text = value.endsWith(".json") ? readFileSync(this.file(name), "utf8") : value;
    let object;
    try {
      object = JSON.parse(text);
    } catch (error) {
      throw this.wrong(`--${name} must be a JSON object, or a .json file with one: ${error.message}`);
    }
    if (typeof object !== "object" || object === null || Array.isArray(object)) {
      throw this.wrong(`--${name} must be a JSON object, such as {"epochs": 20}; it is ${text.trim()}.`);
    }
    return object;
  }

  /** The path of a model's folder that is there. */
  modelFolder(name) {
    const path = this.path(name);
    if (path === undefined) return undefined;
    this.#existing(path, `--${name}`, "folder");
    if (!existsSync(join(path, "config.json"))) {
      throw this.wrong(`--${name}: ${path} has no config.json; it must be the folder of a model.`);
    }
    return path;
  }

  /** The path of a file or folder that is there and was given without an option; `what` it is, in words. */
  existing(value, what, kind) {
    const path = resolve(this.#folder, value);
    this.#existing(path, what, kind);
    return path;
  }

  #existing(path, what, kind) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw this.wrong(`${what}: there is no ${path}.`);
    if (kind === "file" && !found.isFile()) throw this.wrong(`${what}: ${path} is not a file.`);
    if (kind === "folder" && !found.isDirectory()) throw this.wrong(`${what}: ${path} is not a folder.`);
  }
}
