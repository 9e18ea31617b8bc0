// The official Node client with the same rows, at its best as far as we found: HTTP, protocol 2, flushes of our choosing, and a
// second sender that fills its buffer while the first one waits for the server. A larger first buffer, or not awaiting
// `at()` where it has nothing to wait for, made no difference.
import { Sender } from "@questdb/nodejs-client";
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { ServerAddressSchema } from "../harness/server_address.ts";
import { defineTask } from "../harness/task.ts";
import { type MarkRow, markRows, stamp } from "../workload/mark_event.ts";
import { writeOfficialRow } from "./official_row.ts";
import { writeOnCommand } from "./write_on_command.ts";

const InputSchema = z.object({
  server: ServerAddressSchema,
  rows: z.int().min(1),
  warmupRows: z.int().min(0),
  rowsPerFlush: z.int().min(1),
  senders: z.int().min(1),
});

const POOL_ROWS = 10_000;

export const task = defineTask({
  name: "official_client",
  input: InputSchema,
  output: z.null(),
  async run(input, channel) {
    const clock = systemClock();
    const pool = markRows(POOL_ROWS, 1);
    const senders: Sender[] = [];
    for (let index = 0; index < input.senders; index++) senders.push(await openSender(input.server));
    let nextUs = clock.nowUs() - input.rows - input.warmupRows;
    const write = async (rows: number) => {
      const flushes: Promise<unknown>[] = [];
      for (let done = 0, turn = 0; done < rows; turn++) {
        const [sender, busy] = [senders[turn % senders.length], flushes[turn % senders.length]];
        await busy;
        const count = Math.min(input.rowsPerFlush, rows - done);
        if (sender === undefined) throw new Error("no sender");
        await fill(sender, pool, count, nextUs);
        nextUs += count;
        done += count;
        flushes[turn % senders.length] = sender.flush();
      }
      await Promise.all(flushes);
    };
    await write(input.warmupRows);
    await writeOnCommand(channel, clock, () => write(input.rows));
    for (const sender of senders) await sender.close();
    return null;
  },
});

async function openSender({
  http,
  httpAuthorization,
}: z.output<typeof ServerAddressSchema>): Promise<Sender> {
  if (httpAuthorization !== null) throw new Error("the comparison needs a QuestDB without HTTP login");
  const { protocol, host } = new URL(http);
  const settings = `addr=${host};protocol_version=2;auto_flush=off`;
  return await Sender.fromConfig(`${protocol.replace(":", "")}::${settings}`);
}

async function fill(sender: Sender, pool: MarkRow[], count: number, firstUs: number): Promise<void> {
  for (let done = 0; done < count; done += pool.length) {
    const rows = pool.slice(0, count - done);
    stamp(rows, firstUs + done);
    for (const row of rows) {
      writeOfficialRow(sender, row);
      await sender.at(row.ts, "us");
    }
  }
}
