// The version of this program, from its package.json. No schema library here: `--version` answers at once.
import { readFileSync } from "node:fs";
import { shippedPath } from "../package_root.ts";

/** Such as "0.1.0". Throws when the installation is damaged. */
export function readVersion(): string {
  const file = shippedPath("package.json");
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version = typeof content === "object" && content !== null && "version" in content && content.version;
  if (typeof version !== "string") throw new Error(`${file} names no version`);
  return version;
}
