// The spool alone: frames appended and synced, acknowledged at once, so that segments come and go as in a healthy service.
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { ConfigSchema } from "../../ingest/config/schema.ts";
import { FrameBuilder } from "../../ingest/encode/frame_builder.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import type { Frame } from "../../ingest/spool/frame.ts";
import { openSpool } from "../../ingest/spool/spool.ts";
import { openFolder, type Storage } from "../../ingest/spool/storage.ts";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";

const InputSchema = z.object({
  folder: z.string(),
  durability: z.enum(["fsync", "os"]),
  rowsPerFrame: z.int().min(1),
  framesPerAppend: z.int().min(1),
  appends: z.int().min(1),
  warmupAppends: z.int().min(0),
});

const OutputSchema = z.object({
  usage: UsageSchema,
  frames: z.number(),
  bytes: z.number(),
  /** Of files; folders are synced when a segment begins. */
  syncs: z.number(),
});

const CURSOR_EVERY_MS = 1_000;
const ROW_BYTES_MAX = 1_000_000;

export const task = defineTask({
  name: "spool",
  input: InputSchema,
  output: OutputSchema,
  async run(input) {
    const counts = { syncs: 0 };
    const clock = systemClock();
    const spool = await openSpool({
      storage: countingSyncs(await openFolder(input.folder), counts),
      ...ConfigSchema.parse({}).spool,
      durability: input.durability,
      graceMs: 0,
      nowUs: () => clock.nowUs(),
      monotonicMs: () => clock.monotonicMs(),
      onDamage: () => undefined,
    });
    const group = Array.from({ length: input.framesPerAppend }, (_, index) =>
      frameOf(index, input.rowsPerFrame),
    );
    let savedMs = clock.monotonicMs();
    const append = async (times: number) => {
      for (let done = 0; done < times; done++) {
        await spool.append(group);
        const next = await spool.peek(MARKS.name, {
          rows: Number.MAX_SAFE_INTEGER,
          bytes: Number.MAX_SAFE_INTEGER,
        });
        const last = next.at(-1);
        if (last !== undefined) spool.ack(MARKS.name, last.seq);
        if (clock.monotonicMs() - savedMs < CURSOR_EVERY_MS) continue;
        savedMs = clock.monotonicMs();
        await spool.saveCursor();
      }
    };
    await append(input.warmupAppends);
    counts.syncs = 0;
    const window = new UsageWindow();
    await append(input.appends);
    const usage = window.close();
    await spool.close();
    const frames = input.appends * input.framesPerAppend;
    const bytes = input.appends * group.reduce((sum, frame) => sum + frame.payload.length, 0);
    return { usage, frames, bytes, syncs: counts.syncs };
  },
});

function frameOf(seed: number, rows: number): Frame {
  const input = markRows(rows, seed);
  stamp(input, 1_785_542_400_000_000);
  const builder = new FrameBuilder(MARKS.name, MARKS.fingerprint, createEncoder("native", MARKS));
  for (const row of input) builder.add({ ...row }, row.ts, ROW_BYTES_MAX);
  const frame = builder.seal();
  if (frame === undefined) throw new Error("an empty frame");
  return frame;
}

function countingSyncs(storage: Storage, counts: { syncs: number }): Storage {
  return {
    ...storage,
    async open(name, options) {
      const file = await storage.open(name, options);
      return {
        ...file,
        sync() {
          counts.syncs += 1;
          return file.sync();
        },
      };
    },
  };
}
