// The server's own limit: bodies that were encoded beforehand, sent over two connections. What is left is QuestDB's time.
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { createIlpHttp } from "../../ingest/deliver/ilp_http.ts";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import { ServerAddressSchema } from "../harness/server_address.ts";
import { defineTask } from "../harness/task.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";
import { writeOnCommand } from "./write_on_command.ts";

const InputSchema = z.object({
  server: ServerAddressSchema,
  rows: z.int().min(1),
  warmupRows: z.int().min(0),
  rowsPerBody: z.int().min(1),
  connections: z.int().min(1),
});

const TIMEOUT_MS = 60_000;

export const task = defineTask({
  name: "encoded_bodies",
  input: InputSchema,
  output: z.null(),
  async run({ server, rows, warmupRows, rowsPerBody, connections }, channel) {
    const clock = systemClock();
    const authorization = server.httpAuthorization ?? undefined;
    const sender = createIlpHttp({ url: server.http, authorization, connections, timeoutMs: TIMEOUT_MS });
    const firstUs = clock.nowUs() - rows - warmupRows;
    const write = async (bodies: Buffer[]) => {
      const connection = async () => {
        for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) {
          const outcome = await sender.send([body], new AbortController().signal);
          if (outcome.kind !== "written") throw new Error(`QuestDB answered: ${outcome.message}`);
        }
      };
      await Promise.all(Array.from({ length: connections }, connection));
    };
    try {
      await write(encoded(warmupRows, rowsPerBody, firstUs));
      const bodies = encoded(rows, rowsPerBody, firstUs + warmupRows);
      await writeOnCommand(channel, clock, () => write(bodies));
    } finally {
      await sender.close();
    }
    return null;
  },
});

function encoded(rows: number, rowsPerBody: number, firstUs: number): Buffer[] {
  const pool = markRows(Math.min(rows, rowsPerBody), 1);
  const encode = createEncoder("native", MARKS);
  const bodies: Buffer[] = [];
  for (let done = 0; done < rows; done += rowsPerBody) {
    const part = pool.slice(0, rows - done);
    stamp(part, firstUs + done);
    const out = new ByteBuffer(part.length * 200);
    for (const row of part) encode({ ...row }, out, new Int32Array(2), 0);
    bodies.push(out.bytes.subarray(0, out.length));
  }
  return bodies;
}
