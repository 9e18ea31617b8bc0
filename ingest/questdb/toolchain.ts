// What this machine has to run a QuestDB with: a Docker engine, a Java, a Maven; and, when none will do, the words that
// tell a person what to install. Starts nothing.
import { join } from "node:path";
import { type Env, lastLines, runCommand } from "./run_command.ts";
import { QUESTDB_VERSION_MIN } from "./version.ts";

/** The oldest Java that QuestDB's jar runs on. */
const JAVA_MAJOR_MIN = 17;

const DOCKER_ANSWER_MS = 5_000;
const TOOL_ANSWER_MS = 30_000;

const NOT_INSTALLED = "not installed";
const NOT_ALLOWED = "installed, but this user may not use its engine";

/** A tool that can be used as `command`, or the reason why not. */
export type Tool =
  | { readonly usable: true; readonly command: string; readonly version: string }
  | { readonly usable: false; readonly reason: string };

/** A Docker engine of this machine that answers within five seconds. */
export async function probeDocker(env: Env, signal: AbortSignal): Promise<Tool> {
  const ask = (...args: string[]) => runCommand("docker", args, { env, timeoutMs: DOCKER_ANSWER_MS }, signal);
  const named = env["DOCKER_HOST"] ?? "";
  if (isRemote(named))
    return unusable("DOCKER_HOST points to an engine that is not on this machine's socket");
  const [result, context] = await Promise.all([
    ask("version", "--format", "{{.Server.Version}}"),
    ask("context", "inspect", "--format", "{{.Endpoints.docker.Host}}"),
  ]);
  if (context.ran && named === "" && isRemote(context.stdout)) {
    return unusable("its context points to an engine that is not on this machine's socket");
  }
  if (!result.ran) return unusable(NOT_INSTALLED);
  if (result.timedOut) return unusable(`installed, but its engine did not answer in ${DOCKER_ANSWER_MS} ms`);
  const version = result.stdout.trim();
  if (result.exitCode === 0 && version !== "") return { usable: true, command: "docker", version };
  if (/permission denied/i.test(result.stderr)) return unusable(NOT_ALLOWED);
  return unusable(`installed, but no engine answers (${lastLines(result.stderr, 1)})`);
}

function isRemote(host: string): boolean {
  return /^(tcp|ssh|https?):/.test(host);
}

/** The Java of JAVA_HOME, else the one on PATH, if it is new enough. */
export async function probeJava(env: Env, signal: AbortSignal): Promise<Tool> {
  const home = env["JAVA_HOME"];
  const candidates = home ? [join(home, "bin", "java"), "java"] : ["java"];
  const reasons: string[] = [];
  for (const command of candidates) {
    const result = await runCommand(command, ["-version"], { env, timeoutMs: TOOL_ANSWER_MS }, signal);
    const version = result.ran ? javaVersion(result.stderr + result.stdout) : undefined;
    if (version !== undefined && javaMajor(version) >= JAVA_MAJOR_MIN)
      return { usable: true, command, version };
    const from = command === "java" ? "" : ` in JAVA_HOME (${home})`;
    if (!result.ran) reasons.push(`not installed${from}`);
    else if (version === undefined) reasons.push(`does not run${from}`);
    else reasons.push(`version ${version}${from} is too old: ${JAVA_MAJOR_MIN} or newer is needed`);
  }
  return unusable(reasons.join("; "));
}

/** The Maven on PATH. */
export async function probeMaven(env: Env, signal: AbortSignal): Promise<Tool> {
  const result = await runCommand("mvn", ["--version"], { env, timeoutMs: TOOL_ANSWER_MS }, signal);
  if (!result.ran) return unusable("not installed");
  const version = /Apache Maven (\S+)/.exec(result.stdout)?.[1];
  if (version !== undefined && result.exitCode === 0) return { usable: true, command: "mvn", version };
  return unusable(`does not run (${lastLines(result.stderr + result.stdout, 1)})`);
}

function unusable(reason: string): Tool {
  return { usable: false, reason };
}

function javaVersion(output: string): string | undefined {
  return /version "([^"]+)"/.exec(output)?.[1];
}

/** 17 of "17.0.15"; 8 of "1.8.0_402", as it was written then. */
export function javaMajor(version: string): number {
  const [first, second] = version.split(/[._-]/).map(Number);
  return (first === 1 ? second : first) ?? 0;
}

/** What was found of each way; a way that was not looked at is absent. */
export interface Findings {
  readonly docker?: Tool;
  readonly java?: Tool;
  readonly maven?: Tool;
}

const MEND = "mend what failed above";
const START_DOCKER = "start its engine    Linux: sudo systemctl start docker    macOS: open -a Docker";
const ALLOW_DOCKER = "sudo usermod -aG docker $USER, then log in again";
const INSTALL_DOCKER = "Debian/Ubuntu: sudo apt-get install docker.io    macOS: brew install --cask docker";
const INSTALL_JAVA =
  "Debian/Ubuntu: sudo apt-get install openjdk-17-jre-headless maven    macOS: brew install openjdk@17 maven";

function dockerAdvice(docker: Tool | undefined): string {
  if (docker?.usable) return MEND;
  if (docker === undefined || docker.reason === NOT_INSTALLED) return INSTALL_DOCKER;
  return docker.reason === NOT_ALLOWED ? ALLOW_DOCKER : START_DOCKER;
}

/** The message for a person whose machine can run no QuestDB: what was found, what to install. */
export function installAdvice(findings: Findings, failures: readonly string[]): string {
  const found = Object.entries({ Docker: findings.docker, Java: findings.java, Maven: findings.maven })
    .filter(([, tool]) => tool !== undefined)
    .map(([name, tool]) => `  ${name.padEnd(7)} ${tool?.usable ? tool.version : tool?.reason}`);
  return [
    "QuestDB could not be started on this machine. Found:",
    ...found,
    ...failures.map((failure) => `  ${failure}`),
    "Do one of these and start again:",
    `  - Docker:         ${dockerAdvice(findings.docker)}`,
    `  - Java and Maven: ${findings.java?.usable && findings.maven?.usable ? MEND : INSTALL_JAVA}`,
    `  - or point QUESTDB_URL at a QuestDB ${QUESTDB_VERSION_MIN} or newer that runs already, such as QUESTDB_URL=http://127.0.0.1:9000`,
  ].join("\n");
}
