// A producer in a process of its own: NDJSON bodies over a few kept-alive connections, the next body of a connection when the
// one before it is answered. Bodies are ready-made; only the digits of their times are renewed, so that on a small machine
// the client takes little from what is measured.
import { Pool } from "undici";
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { type NdjsonBody, pnlBodies } from "../workload/ndjson_body.ts";

const InputSchema = z.object({
  url: z.string(),
  table: z.string(),
  warmupRows: z.int().min(0),
  rows: z.int().min(1),
  bodyBytes: z.int().min(1),
  connections: z.int().min(1),
});

const AnswerSchema = z.object({ accepted: z.int() });

export const task = defineTask({
  name: "gateway_client",
  input: InputSchema,
  output: z.object({ usage: UsageSchema, requests: z.number() }),
  async run(input, channel) {
    const clock = systemClock();
    const pool = new Pool(new URL(input.url).origin, { connections: input.connections, pipelining: 1 });
    const plan = { left: 0, nextUs: clock.nowUs() - input.rows - input.warmupRows, requests: 0 };
    const bodies = pnlBodies(input.bodyBytes, 2 * input.connections);
    const post = async (body: NdjsonBody) => {
      const rows = Math.min(body.rows, plan.left);
      plan.left -= rows;
      const firstUs = plan.nextUs;
      plan.nextUs += rows;
      plan.requests += 1;
      const { statusCode, body: answer } = await pool.request({
        method: "POST",
        path: `/v1/events/${input.table}`,
        headers: { "content-type": "application/x-ndjson" },
        body: body.stamped(firstUs, rows),
      });
      const text = await answer.text();
      if (statusCode !== 202) throw new Error(`the gateway answered ${statusCode}: ${text.slice(0, 500)}`);
      const { accepted } = AnswerSchema.parse(JSON.parse(text));
      if (accepted !== rows) throw new Error(`${accepted} of ${rows} rows were accepted`);
    };
    const send = async (rows: number) => {
      plan.left = rows;
      const connection = async (_: unknown, index: number) => {
        for (let turn = 0; plan.left > 0; turn++) {
          const body = bodies[(2 * index + (turn % 2)) % bodies.length];
          if (body !== undefined) await post(body);
        }
      };
      await Promise.all(Array.from({ length: input.connections }, connection));
    };
    await send(input.warmupRows);
    channel.send("warm");
    await channel.take("go", z.unknown());
    const window = new UsageWindow();
    await send(input.rows);
    const usage = window.close();
    await pool.close();
    return { usage, requests: plan.requests };
  },
});
