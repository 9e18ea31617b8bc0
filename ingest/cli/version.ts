// The version of this program, from the nearest package.json above this file: the sources and the compiled output lie
// at different depths. No schema library here: `--version` answers at once.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Such as "0.1.0". Throws when the installation is damaged. */
export function readVersion(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return versionIn(file);
    if (folder === dirname(folder)) throw new Error(`no package.json above ${import.meta.dirname}`);
  }
}

function versionIn(file: string): string {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version = typeof content === "object" && content !== null && "version" in content && content.version;
  if (typeof version !== "string") throw new Error(`${file} names no version`);
  return version;
}
