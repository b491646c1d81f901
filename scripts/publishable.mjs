// Ends with 1 where the wasm of the last build was not shrunk: before `npm publish`, so that no page has to download more
// than it needs.
import { isShrunk } from "./build.mjs";
import { Failure, main } from "./lib/terminal.mjs";

await main(async () => {
  if (!isShrunk()) throw new Failure("The wasm in pkg/dist was not shrunk. Run npm run build -- --publish first.");
});
