// What a workload has sent and what was acknowledged, in a file that is synced before an acknowledgement counts. The
// oracle believes the journal and nothing else.
import { open, readFile } from "node:fs/promises";
import type { FaultTable, Workload } from "./fault_rows.ts";

/** Rows of one request: consecutive numbers of one producer and table. */
export interface Batch {
  readonly table: FaultTable;
  readonly producer: number;
  readonly from: number;
  /** The last one, included. */
  readonly to: number;
}

export interface JournalWriter {
  /** The rows are about to be sent. */
  sent(batch: Batch): Promise<void>;
  /** All of them were acknowledged; durable when it resolves. */
  acknowledged(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

export interface Journal {
  readonly workload: Workload;
  readonly sent: readonly Batch[];
  readonly acknowledged: readonly Batch[];
}

/** Begins a journal; the file must not exist yet. */
export async function createJournal(path: string, workload: Workload): Promise<JournalWriter> {
  const file = await open(path, "ax");
  await file.appendFile(`${JSON.stringify(workload)}\n`);
  const line = (kind: string, batch: Batch) =>
    `${kind} ${batch.table} ${batch.producer} ${batch.from} ${batch.to}\n`;
  return {
    async sent(batch) {
      await file.appendFile(line("sent", batch));
    },
    async acknowledged(batch) {
      await file.appendFile(line("acknowledged", batch));
      await file.datasync();
    },
    close: () => file.close(),
  };
}

/** Everything in a journal. A line without its end, of a workload that was killed, does not count. */
export async function readJournal(path: string): Promise<Journal> {
  const [head = "", ...lines] = (await readFile(path, "utf8")).split("\n").slice(0, -1);
  const batches = { sent: [] as Batch[], acknowledged: [] as Batch[] };
  for (const line of lines) {
    const [kind, table, ...numbers] = line.split(" ");
    const [producer = 0, from = 0, to = 0] = numbers.map(Number);
    batches[kind as "sent" | "acknowledged"].push({ table: table as FaultTable, producer, from, to });
  }
  return { workload: JSON.parse(head), ...batches };
}
