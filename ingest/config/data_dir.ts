// What lies where in the data folder, for commands that look into it from outside. Pure.
import { join, resolve } from "node:path";

export interface DataFolders {
  /** Holds run.json while the service runs. */
  readonly dataDir: string;
  readonly spoolDir: string;
  readonly deadLetterDir: string;
  readonly ledgerDir: string;
  /** Installation of a started QuestDB. */
  readonly questdbDir: string;
}

/** Absolute paths. The demo keeps everything but run.json apart, so that it never mixes with real rows. */
export function dataFolders(dataDir: string, cwd: string, demo: boolean): DataFolders {
  const root = resolve(cwd, dataDir);
  const own = demo ? join(root, "demo") : root;
  return {
    dataDir: root,
    spoolDir: join(own, "spool"),
    deadLetterDir: join(own, "dead-letter"),
    ledgerDir: join(own, "ledger"),
    questdbDir: join(own, "questdb"),
  };
}
