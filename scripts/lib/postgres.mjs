// PostgreSQL with pgvector for the tests of a guide: the machine's own, else Debian's packages, unpacked into a folder
// and never installed, so that no service is started and no other version is touched.
import { spawn } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture, run, which } from "./command.mjs";
import { readJson, writeWhole } from "./hash.mjs";
import { cache } from "./paths.mjs";
import { Failure, step } from "./terminal.mjs";

const packages = join(cache, "postgresql");
const list = join(packages, "packages.json");
/** The first release of Debian with pgvector. */
const release = "trixie";

/** The folder of the programs of a PostgreSQL on this machine that has pgvector. */
async function installed() {
  const folders = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const places = folders.map((version) => ({
    bin: join("/usr/lib/postgresql", version, "bin"),
    share: join("/usr/share/postgresql", version),
  }));
  const config = which("pg_config");
  if (config) {
    const [bin, share] = [await capture(config, ["--bindir"]), await capture(config, ["--sharedir"])];
    if (bin && share) places.push({ bin, share });
  }
  return places.find(
    ({ bin, share }) => existsSync(join(bin, "initdb")) && existsSync(join(share, "extension", "vector.control")),
  )?.bin;
}

/** The machine's sources of packages, as they are or for another release. */
function sources(other) {
  const folder = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  const texts = files
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => ({ name: path.split("/").at(-1), text: readFileSync(path, "utf8") }));
  if (!other) return texts;
  const older = "(?:bullseye|bookworm)";
  return texts.map(({ name, text }) => {
    if (name.endsWith(".list")) {
      const lines = text.split("\n").filter((line) => new RegExp(`^deb\\s.*\\s${older}\\s`).test(line));
      return { name, text: lines.map((line) => line.replace(new RegExp(`\\s${older}\\s`), ` ${other} `)).join("\n") };
    }
    const entries = text
      .split(/\n\s*\n/)
      .filter((entry) => new RegExp(`^Suites:.*\\b${older}(\\s|$)`, "m").test(entry));
    return { name, text: entries.map((entry) => entry.replace(/^Suites:.*$/m, `Suites: ${other}`)).join("\n\n") };
  });
}

/** What postgres itself needs of all that its package wants installed. */
const isNeeded = (name) => /^(postgresql-\d+(-pgvector)?_|lib(?!llvm|z3|perl)|zlib1g_|tzdata_)/.test(name);

/** Downloads pgvector with all that it needs from sources of packages; undefined if they have none. */
async function download(other) {
  const work = mkdtempSync(join(tmpdir(), "querytune-apt-"));
  const place = (name) => {
    mkdirSync(join(work, name), { recursive: true });
    return join(work, name);
  };
  try {
    for (const { name, text } of sources(other))
      writeFileSync(join(place("etc/sources.list.d"), name.replace(/^sources\.list$/, "main.list")), text);
    // To apt this is a machine on which nothing is installed.
    writeFileSync(join(work, "status"), "");
    const settings = {
      "Dir::Etc": place("etc"),
      "Dir::Etc::preferencesparts": place("etc/preferences.d"),
      "Dir::State": work,
      "Dir::State::Lists": place("lists/partial").replace(/\/partial$/, ""),
      "Dir::State::status": join(work, "status"),
      "Dir::Cache": place("cache/archives/partial").replace(/\/archives\/partial$/, ""),
      "APT::Sandbox::User": process.getuid() === 0 ? "root" : "",
      "Acquire::Languages": "none",
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    const apt = (...args) => run("apt-get", [...options, "-qq", ...args]);
    await apt("update");
    const names = await run("apt-cache", [...options, "search", "--names-only", "^postgresql-[0-9]+-pgvector$"]);
    const versions = [...names.matchAll(/^postgresql-(\d+)-pgvector/gm)].map(([, version]) => Number(version));
    if (versions.length === 0) return undefined;
    const wanted = `postgresql-${Math.max(...versions)}-pgvector`;
    const uris = await apt("install", "--print-uris", "--yes", "--no-install-recommends", wanted);
    const files = [...uris.matchAll(/^'[^']+' (\S+)_\S+_\w+\.deb /gm)].map(([, name]) => name);
    const needed = files.filter((name) => isNeeded(`${name}_`));
    const folder = mkdtempSync(`${packages}-`);
    await run("apt-get", [...options, "-qq", "download", ...needed], { cwd: folder });
    rmSync(packages, { recursive: true, force: true });
    renameSync(folder, packages);
    writeWhole(list, JSON.stringify(readdirSync(packages).filter((name) => name.endsWith(".deb"))));
    return packages;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Downloads Debian's packages unless they are here. */
async function preparePackages() {
  if (readJson(list, []).length > 0 && readJson(list).every((name) => existsSync(join(packages, name)))) return true;
  if (!which("apt-get") || !which("dpkg-deb")) return false;
  mkdirSync(cache, { recursive: true });
  return step("PostgreSQL with pgvector (Debian's packages)", async () => {
    try {
      return (await download()) !== undefined || (await download(release)) !== undefined;
    } catch (error) {
      if (error.name !== "CommandError") throw error;
      process.stderr.write(`${error.message}\n`);
      return false;
    }
  });
}

/** Unpacks the packages into a folder; resolves to the folder of the programs, which run with their own libraries. */
async function unpack(folder) {
  for (const name of readJson(list)) await run("dpkg-deb", ["-x", join(packages, name), folder]);
  const [architecture] = readdirSync(join(folder, "usr/lib")).filter((name) => name.includes("-linux-"));
  const libraries = join(folder, "usr/lib", architecture);
  const loader = join(
    libraries,
    readdirSync(libraries).find((name) => /^ld-linux.*\.so\.\d+$/.test(name)),
  );
  const bin = join(folder, "usr/lib/postgresql", readdirSync(join(folder, "usr/lib/postgresql"))[0], "bin");
  for (const name of ["initdb", "postgres"]) {
    const program = join(bin, name);
    renameSync(program, `${program}.bin`);
    const command = `exec "${loader}" --argv0 "${program}" --library-path "${libraries}" "${program}.bin" "$@"`;
    writeFileSync(program, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  }
  return bin;
}

/** PostgreSQL refuses to run as root: then it runs as the user who owns nothing. */
async function user() {
  if (process.getuid() !== 0) return {};
  return { uid: Number(await run("id", ["-u", "nobody"])), gid: Number(await run("id", ["-g", "nobody"])) };
}

/**
 * Starts PostgreSQL with an empty database in a folder of its own. Resolves to `{ env, stop }`: the variables by which
 * clients find it (`PGHOST`, a socket, and others), and a function that ends it and deletes the folder.
 */
export async function startPostgres() {
  const own = await installed();
  if (!own && !(await preparePackages())) {
    throw new Failure(
      "PostgreSQL with pgvector is needed, and could not be had from Debian's packages. Install both, such as " +
        "postgresql-17 and postgresql-17-pgvector, and try again.",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "qt-pg-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  let server;
  let output = "";
  try {
    const identity = await user();
    const bin = own ?? (await unpack(join(folder, "root")));
    const data = join(folder, "data");
    mkdirSync(data, { mode: 0o700 });
    if (identity.uid !== undefined) for (const path of [folder, data]) chownSync(path, identity.uid, identity.gid);
    const settings = ["--username=guide", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
    await run(join(bin, "initdb"), ["--pgdata", data, ...settings], { cwd: folder, timeout: 120, ...identity });
    const options = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"];
    server = spawn(join(bin, "postgres"), options, { cwd: folder, stdio: ["ignore", "ignore", "pipe"], ...identity });
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Failure(`PostgreSQL ${why}:\n${output}`));
      server.stderr.setEncoding("utf8").on("data", (chunk) => {
        output += chunk;
        if (output.includes("ready to accept connections")) resolve();
      });
      server.on("error", (error) => fail(`could not be started (${error.message})`));
      server.on("exit", () => fail("ended before it was ready"));
      setTimeout(() => fail("was not ready in two minutes"), 120_000).unref();
    });
  } catch (error) {
    server?.kill("SIGQUIT");
    remove();
    throw error;
  }
  return {
    env: { PGHOST: folder, PGUSER: "guide", PGDATABASE: "postgres" },
    async stop() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      // Ends its connections, and then itself.
      if (server.exitCode === null && server.kill("SIGINT")) await ended;
      remove();
    },
  };
}
