// The tickwatch that runs for this data folder, by the file it leaves there (run.json), and its port.
import { connect } from "node:net";
import { portOwner } from "../gateway/port_owner.ts";
import { type RunInfo, readRunFile } from "../run_file.ts";
import { type Check, failure, ok, warning } from "./check.ts";

/** The instance whose process lives; undefined when none runs, or the file is of one that did not stop in order. */
export async function findInstance(dataDir: string): Promise<RunInfo | undefined> {
  const run = await readRunFile(dataDir);
  return run !== undefined && isAlive(run.pid) ? run : undefined;
}

export function instanceCheck(instance: RunInfo | undefined, dataDir: string): Check {
  return {
    name: "tickwatch",
    run: async () =>
      instance === undefined
        ? warning(`does not run with ${dataDir}`, "npm start")
        : ok(
            `${instance.version} runs as process ${instance.pid} since ${instance.startedAt}, ${instance.http}`,
          ),
  };
}

/** The gateway's port is free, or taken by the instance itself. */
export function portCheck(host: string, port: number, instance: RunInfo | undefined): Check {
  return {
    name: "http port",
    async run(signal) {
      const where = `${host}:${port}`;
      if (
        instance !== undefined &&
        URL.canParse(instance.http) &&
        Number(new URL(instance.http).port) === port
      )
        return ok(`${where} is the running tickwatch's`);
      if (!(await answers(host, port, signal))) return ok(`${where} is free`);
      const owner = await portOwner(port);
      const who = owner === undefined ? "another program" : `${owner.command} (process ${owner.pid})`;
      return failure(
        `${where} is in use by ${who}`,
        "stop it, or choose another port with TICKWATCH_HTTP_PORT or http.port",
      );
    },
  };
}

function answers(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const address = host === "0.0.0.0" ? "127.0.0.1" : host;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
