// The spool of the golden fixtures: what was put in, in words, and the steps that made its files. Fixed for ever: files
// that lie on disks out there were written by the same steps.
import type { Frame } from "../../ingest/spool/frame.ts";
import { openSpool, type Spool } from "../../ingest/spool/spool.ts";
import type { Storage } from "../../ingest/spool/storage.ts";

type Values = Readonly<Record<string, string | number | boolean>>;

/** 2026-11-21T12:00:00Z, µs. */
const NOON_US = 1_795_262_400_000_000;

/** The rows of the fixtures, by frame; all kinds of values that a line can hold. */
export const GOLDEN_ROWS: readonly (readonly Values[])[] = [
  [
    {
      ...{
        account: "main",
        exchange: "okx",
        symbol: "BTC/USDT:USDT",
        side: "buy",
        order_id: 'o "1", =\\é😀',
      },
      ...{ seq: -7, price: 64_250.5, amount: 0.1, ts: NOON_US },
    },
    { account: "a b,c=d", exchange: "okx", order_id: "2", seq: 9_007_199_254_740_991, ts: NOON_US + 1 },
  ],
  [{ exchange: "binance", channel: "ws", instance: "host:1", up: true, latency_ms: 3.25, ts: NOON_US - 5 }],
  [{ account: "main", exchange: "okx", order_id: "3", seq: 1, price: -0.5, ts: NOON_US + 2 }],
];

/** The same rows as lines: not of today's encoder, whose columns and order may change without the spool's format. */
const LINES: readonly {
  readonly table: string;
  readonly lines: readonly Buffer[];
  readonly ts: readonly number[];
}[] = [
  {
    table: "orders",
    ts: [NOON_US, NOON_US + 1],
    lines: [
      line`orders,account=main,exchange=okx,symbol=BTC/USDT:USDT,side=buy order_id="o \\"1\\", =\\\\é😀",seq=-7i,price=${64_250.5},amount=${0.1} ${NOON_US}`,
      line`orders,account=a\\ b\\,c\\=d,exchange=okx order_id="2",seq=9007199254740991i ${NOON_US + 1}`,
    ],
  },
  {
    table: "connectivity",
    ts: [NOON_US - 5],
    lines: [
      line`connectivity,exchange=binance,channel=ws,instance=host:1 up=t,latency_ms=${3.25} ${NOON_US - 5}`,
    ],
  },
  {
    table: "orders",
    ts: [NOON_US + 2],
    lines: [line`orders,account=main,exchange=okx order_id="3",seq=1i,price=${-0.5} ${NOON_US + 2}`],
  },
];

/** Numbers are doubles as version 2 of the line protocol has them; the last one is the time. */
function line(texts: TemplateStringsArray, ...numbers: readonly number[]): Buffer {
  const parts = texts.map((text, index) => {
    const number = numbers[index];
    const written = Buffer.from(text);
    if (number === undefined) return written;
    if (index === numbers.length - 1) return Buffer.concat([written, Buffer.from(`${number}t\n`)]);
    const double = Buffer.alloc(10);
    double.write("=\x10", "latin1");
    double.writeDoubleLE(number, 2);
    return Buffer.concat([written, double]);
  });
  return Buffer.concat(parts);
}

export function goldenFrames(): readonly Frame[] {
  return LINES.map(({ table, lines, ts }, index) => ({
    ...{ table, fingerprint: 0xc0ffee00 + index, rowCount: lines.length, payload: Buffer.concat(lines) },
    rowOffsets: Uint32Array.from(lines.keys(), (row) => Buffer.concat(lines.slice(0, row)).length),
    ...{ minTs: Math.min(...ts), maxTs: Math.max(...ts), acceptedUs: NOON_US + 1_000 + index },
  }));
}

/** A spool with the clock of the fixtures. */
export function openGoldenSpool(storage: Storage): Promise<Spool> {
  return openSpool({
    ...{ storage, durability: "fsync", bytesMax: 1 << 30, segmentBytes: 1 << 20, memoryBytes: 1 << 20 },
    ...{ graceMs: 60_000, graceBytesMax: 1 << 30, onDamage: () => undefined },
    nowUs: () => NOON_US,
    monotonicMs: () => 0,
  });
}

/** Three frames of two tables; the first is delivered and noted, then the second; the end is in order. */
export async function fillGoldenSpool(storage: Storage): Promise<void> {
  const spool = await openGoldenSpool(storage);
  for (const frame of goldenFrames()) await spool.append([frame]);
  spool.ack("orders", 1);
  await spool.saveCursor();
  spool.ack("connectivity", 2);
  await spool.close();
}
