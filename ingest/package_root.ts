// Finds files that are shipped beside the code (migrations): the sources and the compiled output lie at different depths.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Absolute path of a shipped file or folder, given from the folder of package.json. Throws when it is missing. */
export function shippedPath(...parts: readonly string[]): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) {
      const path = join(folder, ...parts);
      if (existsSync(path)) return path;
    }
    if (folder === dirname(folder)) throw new Error(`the installation lacks ${parts.join("/")}`);
  }
}
