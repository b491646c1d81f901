// Where things are kept on this computer: the folder that its system has for caches.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `$QUERYTUNE_CACHE`, else a folder of the system's for what can be had again. */
export function cacheFolder(env = process.env, platform = process.platform, home = homedir()) {
  if (env.QUERYTUNE_CACHE) return resolve(env.QUERYTUNE_CACHE);
  if (platform === "win32") return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "querytune");
  if (platform === "darwin") return join(home, "Library", "Caches", "querytune");
  return join(env.XDG_CACHE_HOME || join(home, ".cache"), "querytune");
}

/** Where finished vectors and scores are kept, unless a command is told otherwise. */
export const storeFolder = () => join(cacheFolder(), "store");
