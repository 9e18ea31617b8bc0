// The encoder alone: checked rows → bytes, as fast as it goes, and what it leaves to the garbage collector.
import { PerformanceObserver, performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { SenderBufferV2 } from "@questdb/nodejs-client";
import * as z from "zod";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { createEncoder, type EncodeRow } from "../../ingest/encode/row_encoder.ts";
import type { AnyRow, EventDefinition } from "../../schema/define.ts";
import { findEvent } from "../../schema/registry.ts";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";
import { w90 } from "../workload/w90.ts";
import { writeOfficialRow } from "./official_row.ts";

const InputSchema = z.object({
  /**
   * `native`: ours, one table of ten columns. `w90`: ours, all tables in their mix, so that it sees many shapes. `official`: the buffer
   * of the official client, used as the client uses it. `selected`: that buffer behind our contract (writer.encoder: official).
   */
  encoder: z.enum(["native", "w90", "official", "selected"]),
  count: z.int().min(1),
  warmupCount: z.int().min(0),
  /** Also measure what is allocated; needs --expose-gc and a young generation that holds it all. */
  allocation: z.boolean(),
});

const OutputSchema = z.object({
  usage: UsageSchema,
  bytes: z.number(),
  /** Null: not asked for, or the collector ran in between. */
  allocatedBytesPerRow: z.number().nullable(),
});

/** Encodes the first `count` rows of a pool and returns how many bytes they took. */
type EncodeRows = (count: number) => number;

const POOL_ROWS = 10_000;
const BUFFER_BYTES = 8 * 1024 * 1024;
const START_US = Date.UTC(2026, 7, 1) * 1000;

export const task = defineTask({
  name: "encode",
  input: InputSchema,
  output: OutputSchema,
  label: ({ encoder, allocation }) => (allocation ? "allocation" : `encode_${encoder}`),
  async run(input) {
    const encode = encoderOf(input.encoder);
    encodeAll(encode, input.warmupCount);
    const window = new UsageWindow();
    const bytes = encodeAll(encode, input.count);
    const usage = window.close();
    return { usage, bytes, allocatedBytesPerRow: input.allocation ? await allocatedPerRow(encode) : null };
  },
});

function encodeAll(encode: EncodeRows, count: number): number {
  let bytes = 0;
  for (let done = 0; done < count; done += POOL_ROWS) bytes += encode(Math.min(POOL_ROWS, count - done));
  return bytes;
}

async function allocatedPerRow(encode: EncodeRows): Promise<number | null> {
  if (globalThis.gc === undefined) return null;
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  globalThis.gc();
  await delay(10);
  observer.observe({ entryTypes: ["gc"] });
  const before = process.memoryUsage().heapUsed;
  const startMs = performance.now();
  encodeAll(encode, 2 * POOL_ROWS);
  const after = process.memoryUsage().heapUsed;
  // The observer hears of collections in a later turn of the event loop.
  await delay(10 + performance.now() - startMs);
  observer.disconnect();
  return collections > 0 ? null : Math.max(0, after - before) / (2 * POOL_ROWS);
}

function encoderOf(encoder: z.output<typeof InputSchema>["encoder"]): EncodeRows {
  if (encoder === "official") return officialBuffer();
  return intoBuffer(
    encoder === "w90" ? checkedW90() : checkedMarks(encoder === "native" ? "native" : "official"),
  );
}

interface Checked {
  readonly encode: EncodeRow;
  readonly row: AnyRow;
}

function intoBuffer(pool: readonly Checked[]): EncodeRows {
  const out = new ByteBuffer(BUFFER_BYTES);
  const keys = new Int32Array(2 * POOL_ROWS);
  return (count) => {
    out.length = 0;
    for (let index = 0; index < count; index++) {
      const checked = pool[index];
      if (checked !== undefined) checked.encode(checked.row, out, keys, 2 * index);
    }
    return out.length;
  };
}

function officialBuffer(): EncodeRows {
  const rows = markRows(POOL_ROWS, 1);
  stamp(rows, START_US);
  const buffer = new SenderBufferV2({
    ...{ protocol: "http", protocol_version: "2", host: "127.0.0.1", init_buf_size: BUFFER_BYTES },
  });
  return (count) => {
    buffer.reset();
    for (let index = 0; index < count; index++) {
      const row = rows[index];
      if (row === undefined) continue;
      writeOfficialRow(buffer, row);
      buffer.at(row.ts, "us");
    }
    return buffer.toBufferView().length;
  };
}

function checkedMarks(kind: "native" | "official"): Checked[] {
  const rows = markRows(POOL_ROWS, 1);
  stamp(rows, START_US);
  const encode = createEncoder(kind, MARKS);
  return rows.map((row) => ({ encode, row: checkedRow(MARKS, row) }));
}

function checkedW90(): Checked[] {
  const encoders = new Map<string, EncodeRow>();
  const pool: Checked[] = [];
  for (const { table, rows } of w90({ seed: 1, startUs: START_US })) {
    const event = findEvent(table);
    if (event === undefined) throw new Error(`no table ${table}`);
    const encode = encoders.get(table) ?? createEncoder("native", event);
    encoders.set(table, encode);
    for (const row of rows) pool.push({ encode, row: checkedRow(event, row) });
    if (pool.length >= POOL_ROWS) break;
  }
  return pool;
}

function checkedRow(event: EventDefinition, input: unknown): AnyRow {
  const outcome = event.parse(input);
  if (!outcome.ok) throw new Error(`${event.name}: ${outcome.message}`);
  return outcome.row;
}
