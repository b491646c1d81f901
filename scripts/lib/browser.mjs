// The browsers the headless runner and the tests use: Chromium or a relative of it that is installed, and Firefox.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { which } from "./command.mjs";
import { Failure } from "./terminal.mjs";

const names = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
];

function candidates() {
  const programs = [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA].filter(
    Boolean,
  );
  return [
    ...names.map(which).filter(Boolean),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ...programs.map((folder) => join(folder, "Google/Chrome/Application/chrome.exe")),
    ...programs.map((folder) => join(folder, "Microsoft/Edge/Application/msedge.exe")),
  ];
}

/** Path of the browser: `$CHROMIUM`, or the first one found; undefined if there is none. */
export function findBrowser() {
  const own = process.env.CHROMIUM;
  if (own) {
    const path = which(own);
    if (!path) throw new Failure(`CHROMIUM is ${own}, but there is no such program.`);
    return path;
  }
  return candidates().find(existsSync);
}

/** Path of Firefox: `$FIREFOX`, or the one found; undefined if there is none. Only some tests use it. */
export function findFirefox() {
  const own = process.env.FIREFOX;
  if (own) {
    const path = which(own);
    if (!path) throw new Failure(`FIREFOX is ${own}, but there is no such program.`);
    return path;
  }
  const programs = [process.env.PROGRAMFILES].filter(Boolean);
  const found = [
    ...["firefox-esr", "firefox"].map(which).filter(Boolean),
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    ...programs.map((folder) => join(folder, "Mozilla Firefox/firefox.exe")),
  ];
  return found.find(existsSync);
}

/** A graphics card that Chromium can reach: a DRM device on Linux; elsewhere it is taken for granted. */
export function hasGpu() {
  if (process.platform !== "linux") return true;
  return existsSync("/dev/dri/renderD128") || existsSync("/dev/nvidiactl");
}

/**
 * Chromium's flags. `webgpu`: false keeps WebGPU off, "software" runs it on SwiftShader (right, but very slow),
 * "hardware" on the graphics card.
 */
export function browserFlags(webgpu) {
  const flags = [
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
  ];
  // Chromium refuses its sandbox to root.
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  if (webgpu === "software") flags.push("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
  if (webgpu === "hardware") {
    flags.push("--enable-unsafe-webgpu", "--ignore-gpu-blocklist");
    if (process.platform === "linux") flags.push("--enable-features=Vulkan", "--use-angle=vulkan");
  }
  return flags;
}

/** Starts the browser without a window. Close it when done. */
export async function launchBrowser({ webgpu = false, ...options } = {}) {
  const { chromium } = await import("playwright-core");
  const executablePath = findBrowser();
  if (!executablePath) throw new Failure('No Chromium or Chrome was found: run "npm run setup", or set CHROMIUM.');
  return chromium.launch({ executablePath, headless: true, args: browserFlags(webgpu), ...options });
}
