// API keys kept in files (Docker and Kubernetes secrets): reads them in place of `key`. Knows nothing of who uses them.
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf } from "../errors.ts";
import type { Mistake } from "./mistake.ts";

/** Shortest key accepted, from a file as from the configuration. */
const KEY_LENGTH_MIN = 16;

export interface KeyFiles {
  /** Contents, without the line end, by path of the file as it was written. */
  readonly keys: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
}

/** Reads the file of every entry of `http.keys` that names one; `input` may still have mistakes of shape. */
export function readKeyFiles(input: unknown, cwd: string): KeyFiles {
  const keys = new Map<string, string>();
  const mistakes: Mistake[] = [];
  const warnings: string[] = [];
  for (const [index, file] of keyFilesOf(input)) {
    const path = `http.keys[${index}].keyFile`;
    try {
      const key = readFileSync(resolve(cwd, file), "utf8").trim();
      if (key === "") mistakes.push({ path, message: `${file} is empty; write the key into it` });
      else if (key.length < KEY_LENGTH_MIN)
        mistakes.push({
          path,
          message: `the key in ${file} must have at least ${KEY_LENGTH_MIN} characters`,
        });
      else keys.set(file, key);
      if ((statSync(resolve(cwd, file)).mode & 0o077) !== 0)
        warnings.push(`${path}: other users of this machine can read ${file}; chmod 600 ${file}`);
    } catch (error) {
      mistakes.push({ path, message: `${file} cannot be read: ${messageOf(error)}` });
    }
  }
  return { keys, mistakes, warnings };
}

function* keyFilesOf(input: unknown): Generator<[number, string]> {
  const entries = member(member(input, "http"), "keys");
  if (!Array.isArray(entries)) return;
  for (const [index, entry] of entries.entries()) {
    const file = member(entry, "keyFile");
    if (typeof file === "string" && file !== "") yield [index, file];
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
