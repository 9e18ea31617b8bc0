// Runs the `docker` command against the engine that the environment names (DOCKER_HOST, a context, or the default).
// Knows nothing of QuestDB.
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { type CommandResult, type Env, lastLines, runCommand } from "./run_command.ts";

/** How long a command may take that neither downloads nor waits. */
export const COMMAND_MS = 30_000;

/** What every command against the engine needs. */
export interface DockerAccess {
  readonly env: Env;
  readonly clock: Clock;
}

type Succeeded = CommandResult & { readonly ran: true; readonly exitCode: 0 };

/** Runs to the end or to the time-out; rejects only on abort. What the engine had begun by then it may still complete. */
export function docker(
  args: readonly string[],
  access: DockerAccess,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CommandResult> {
  return runCommand("docker", args, { env: access.env, timeoutMs }, signal);
}

export function succeeded(result: CommandResult): result is Succeeded {
  return result.ran && result.exitCode === 0;
}

/** The error for a command that did not succeed, with the engine's own words. */
export function dockerFailure(what: string, result: CommandResult): TickwatchError {
  return new TickwatchError("ENVIRONMENT", `${what}: ${wordsOf(result)}`);
}

function wordsOf(result: CommandResult): string {
  if (!result.ran) return "docker is gone";
  const said = lastLines(result.stderr + result.stdout, 4);
  if (result.timedOut) return `no answer in time${said === "" ? "" : ` (${said})`}`;
  return said;
}
