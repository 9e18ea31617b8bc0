// Variables of a `.env` file, beneath those of the environment: the same file that Compose reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Environment } from "../config/substitute.ts";

/** The environment with what `.env` in `cwd` adds to it; an empty variable counts as not set. */
export function withEnvFile(env: Environment, cwd: string): Environment {
  const own = Object.entries(env).filter(([, value]) => value !== undefined && value !== "");
  return { ...fileVariables(join(cwd, ".env")), ...Object.fromEntries(own) };
}

function fileVariables(path: string): Environment {
  try {
    return { ...parseEnv(readFileSync(path, "utf8")) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}
