// A file that is there while the daemon runs. One that is still there at the next start tells of a run that did not
// end in order (kill -9, power cut, out of memory).
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { microsToIso } from "../../schema/timestamp_text.ts";

/** Where the marker is kept. `write` replaces it as a whole; `read` gives undefined when there is none. */
export interface RunMarkerStore {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** The marker as `running` in a folder, which is made when it is missing. */
export function fileRunMarkerStore(folder: string): RunMarkerStore {
  const path = join(folder, "running");
  return {
    read: () =>
      readFile(path, "utf8").catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }),
    async write(text) {
      await mkdir(folder, { recursive: true });
      await writeFile(`${path}.tmp`, text, { flush: true });
      await rename(`${path}.tmp`, path);
    },
    remove: () => rm(path, { force: true }),
  };
}

/** One run of the daemon. */
export interface Run {
  readonly instance: string;
  readonly version: string;
  readonly startedUs: number;
}

const RUN = z.object({
  instance: z.string().min(1),
  version: z.string(),
  startedUs: z.int().min(0).max(8_640_000_000_000_000),
});

export function runToText(run: Run): string {
  return `${JSON.stringify(run)}\n`;
}

/** The run that a marker tells of; undefined when the text is not one of ours (cut off, or written by hand). */
export function runFromText(text: string): Run | undefined {
  try {
    return RUN.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Why a run counts as crashed, for people. */
export function crashReason(run: Run | undefined): string {
  const since = run === undefined ? "" : ` that began at ${microsToIso(run.startedUs)}`;
  return `the run${since} did not stop in order: killed, out of memory or a power cut`;
}
