// Rows of slots into QuestDB as fast as it takes them: encoded here, in large bodies of one table each. For loading only: nothing
// is kept on disk, nothing tried twice.
import { createIlpHttp } from "../../ingest/deliver/ilp_http.ts";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { createEncoder, type EncodeRow } from "../../ingest/encode/row_encoder.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { findEvent } from "../../schema/registry.ts";
import type { Slot } from "./w90/stream.ts";

export interface LoadTarget {
  /** Base address without a slash at the end. */
  readonly http: string;
  readonly httpAuthorization?: string | null | undefined;
}

/** Bytes of one table that are sent together. */
const BODY_BYTES = 8_000_000;
const TIMEOUT_MS = 120_000;
const CONNECTIONS = 2;
/** Where the encoder leaves a row's key, which nobody asks for here. */
const KEYS = new Int32Array(2);

interface Lane {
  readonly event: EventDefinition;
  readonly encode: EncodeRow;
  out: ByteBuffer;
}

/**
 * Resolves when QuestDB has acknowledged all rows, with their number by table; queries may see them a little later. Throws at
 * the first row that its table does not take.
 */
export async function loadSlots(
  { http, httpAuthorization }: LoadTarget,
  slots: Iterable<Slot>,
  onRows: (rows: number) => void = () => undefined,
): Promise<ReadonlyMap<string, number>> {
  const authorization = httpAuthorization ?? undefined;
  const sender = createIlpHttp({ url: http, authorization, connections: CONNECTIONS, timeoutMs: TIMEOUT_MS });
  const lanes = new Map<string, Lane>();
  const counts = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  const send = async (lane: Lane) => {
    const body = lane.out.written();
    if (body.length === 0) return;
    lane.out = new ByteBuffer(body.length + BODY_BYTES / 8);
    while (underWay.size >= CONNECTIONS) await Promise.race(underWay);
    if (failure !== undefined) throw failure;
    const sending: Promise<void> = sender
      .send([body], new AbortController().signal)
      .then((outcome) => {
        if (outcome.kind !== "written") failure ??= new Error(`${lane.event.name}: ${outcome.message}`);
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  };
  try {
    for (const { table, rows } of slots) {
      const lane = lanes.get(table) ?? newLane(table);
      lanes.set(table, lane);
      for (const row of rows) {
        const outcome = lane.event.parse(row);
        if (!outcome.ok) throw new Error(`${table}: ${outcome.message}`);
        lane.encode(outcome.row, lane.out, KEYS, 0);
      }
      counts.set(table, (counts.get(table) ?? 0) + rows.length);
      onRows(rows.length);
      if (lane.out.length >= BODY_BYTES) await send(lane);
    }
    for (const lane of lanes.values()) await send(lane);
    await Promise.all(underWay);
    if (failure !== undefined) throw failure;
    return counts;
  } finally {
    await Promise.allSettled(underWay);
    await sender.close();
  }
}

function newLane(table: string): Lane {
  const event = findEvent(table);
  if (event === undefined) throw new Error(`no table ${table}`);
  return { event, encode: createEncoder("native", event), out: new ByteBuffer(BODY_BYTES / 8) };
}
