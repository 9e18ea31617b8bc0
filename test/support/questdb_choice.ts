// The environment's say in which QuestDB the tests use: QUESTDB_URL (with QUESTDB_USER, QUESTDB_PASSWORD),
// TICKWATCH_QUESTDB_VERSION and TICKWATCH_QUESTDB_START, as for the program. Ports are always free ones.
import type { QuestdbChoice } from "../../ingest/questdb/local.ts";
import type { Env } from "../../ingest/questdb/run_command.ts";
import { QUESTDB_VERSION } from "../../ingest/questdb/version.ts";

/** A choice that starts a server on free ports; nothing of the environment but the version and the way to start. */
export function ownQuestdbChoice(env: Env = process.env): QuestdbChoice {
  const start = env["TICKWATCH_QUESTDB_START"];
  return {
    start: start === "docker" || start === "java" ? start : "auto",
    version: env["TICKWATCH_QUESTDB_VERSION"] || QUESTDB_VERSION,
    httpPort: 0,
    pgPort: 0,
  };
}

/** The choice for a whole run: the external server of QUESTDB_URL when it is set. */
export function runQuestdbChoice(env: Env = process.env): QuestdbChoice {
  const own = ownQuestdbChoice(env);
  if (!env["QUESTDB_URL"]) return own;
  return {
    ...own,
    url: env["QUESTDB_URL"],
    user: env["QUESTDB_USER"],
    password: env["QUESTDB_PASSWORD"],
    pgPort: Number(env["TICKWATCH_QUESTDB_PG_PORT"] ?? 8812),
  };
}

/** This process's environment for a server of the tests: Java with its quick compiler alone starts in half the time. */
export function quickStartEnv(): Env {
  const options = [process.env["JAVA_TOOL_OPTIONS"], "-XX:TieredStopAtLevel=1"].filter(Boolean).join(" ");
  return { ...process.env, JAVA_TOOL_OPTIONS: options };
}
