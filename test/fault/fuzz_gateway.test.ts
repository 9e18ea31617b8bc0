// Protects the gateway from bodies that nobody meant: whatever comes, it answers, each good row in it is taken exactly
// as it was sent, and nothing else is.
import { isUtf8 } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { Agent, request } from "undici";
import { onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { decodeLine } from "../../ingest/encode/decode.ts";
import { openDeadLetters } from "../../ingest/intake/dead_letter.ts";
import { createIntake } from "../../ingest/intake/intake.ts";
import { createLedger } from "../../ingest/metrics/ledger.ts";
import { createMetrics } from "../../ingest/metrics/record.ts";
import { type Frame, rowBytes } from "../../ingest/spool/frame.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";
import { fuzz, mustBe } from "../support/fault_fuzz.ts";
import { changed, type Mutator, mutated } from "../support/fault_mutator.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startTestGateway } from "../unit/gateway_fixture.ts";

/** One table each, so that it is known whose rows are whose. */
const LANES = 8;

const FUTURE_US = 60_000_000;
const DAY_US = 86_400_000_000;

type Kind = "json" | "ndjson";
type Values = Readonly<Record<string, unknown>>;

/** The words of JSON, and what parsers of it stumble over. */
const WORDS = [
  ...'{ } [ ] , : " \\ null true false {} [] \n \r\n \t \u0000 \ufeff }\n{ }{ },{ ]\n[ }\r\n{'.split(" "),
  ...['\n{"ts":', '"__proto__":{"a":1},', '"constructor":1,', '"ts":"2026-11-21T11:59:59.123456Z"', "\n\n\n"],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\\"',
    "NaN",
    "Infinity",
    "1e400",
    `"ts":${NOON_US}`,
    `"ts":${NOON_US / 1000}`,
  ],
  ...["[".repeat(8_000), `${"[".repeat(6_000)}${"]".repeat(6_000)}`, '{"a":'.repeat(3_000)],
  Buffer.from([0xff]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xef, 0xbb, 0xbf]),
];

/** Bodies of good rows, of both kinds. */
function mutatorOf(event: EventDefinition): Mutator {
  const rows = fc
    .sample(arbitraryRow(event), { numRuns: 12, seed: 1 })
    .map((row, index) => JSON.stringify({ ...row, ts: NOON_US - index * 1_000 }));
  const corpus = [
    ...[1, 2, 12].map((count) => rows.slice(0, count).join("\n")),
    `[${rows.slice(0, 5).join(",")}]`,
    rows[7] ?? "",
  ];
  return { corpus: corpus.map((text) => Buffer.from(text)), words: WORDS };
}

/** What a body says, read in the simplest way; undefined for a text that is not JSON. */
function valuesOf(body: Buffer, kind: Kind): readonly ({ readonly value: unknown } | undefined)[] {
  const text = body.subarray(body.indexOf("\ufeff") === 0 ? 3 : 0);
  if (kind === "json") {
    if (text.length === 0) return [];
    const parsed = parse(text);
    return Array.isArray(parsed?.value) ? parsed.value.map((value: unknown) => ({ value })) : [parsed];
  }
  const lines: Buffer[] = [];
  for (let from = 0; from <= text.length; ) {
    const to = text.indexOf("\n", from);
    lines.push(text.subarray(from, to < 0 ? text.length : to));
    from = to < 0 ? text.length + 1 : to + 1;
  }
  return lines.filter((line) => !/^[ \t\r]*$/.test(line.toString("latin1"))).map(parse);
}

function parse(text: Buffer): { readonly value: unknown } | undefined {
  if (!isUtf8(text)) return undefined;
  try {
    return { value: JSON.parse(text.toString("utf8")) };
  } catch {
    return undefined;
  }
}

function unzipped(body: Buffer): Buffer | undefined {
  try {
    return gunzipSync(body);
  } catch {
    return undefined;
  }
}

/** The rows of a body that are to be taken, each in one text that says all of it. */
function rowsDue(event: EventDefinition, body: Buffer, kind: Kind): string[] {
  const outcomes = valuesOf(body, kind).flatMap((one) => (one === undefined ? [] : [event.parse(one.value)]));
  return outcomes.flatMap((outcome) => {
    if (!outcome.ok) return [];
    const { ts } = outcome.row;
    if (ts > NOON_US + FUTURE_US || ts < NOON_US - event.ttlDays * DAY_US) return [];
    return [textOf(outcome.row as unknown as Values)];
  });
}

/** As JSON.stringify writes a surrogate without the other one. */
const HALF_CHARACTERS = /(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

function textOf(row: Values): string {
  const present = Object.entries(row).filter(([, value]) => value !== null && value !== undefined);
  // The wire has no minus zero for integers, nor has this text. And neither has half a character.
  const text = JSON.stringify(present.sort(([a], [b]) => (a < b ? -1 : 1)));
  return text.includes("\\ud") ? text.replace(HALF_CHARACTERS, "\ufffd") : text;
}

function rowsTaken(frames: readonly Frame[]): string[] {
  return frames.flatMap((frame) =>
    Array.from({ length: frame.rowCount }, (_, index) => {
      const line = decodeLine(rowBytes(frame, index));
      return line?.table === frame.table ? textOf(line.row) : "no row of the table";
    }),
  );
}

/** The gateway over the whole intake; what would go to disk is kept here, by table. */
async function stage() {
  const taken = new Map<string, Frame[]>();
  const clock = { ...systemClock(), nowUs: () => NOON_US };
  const metrics = createMetrics({ processMetrics: false });
  const folder = await temporaryFolder();
  const deadLetters = await openDeadLetters({
    ...{ folder, bytesMax: 1 << 24, nowUs: () => NOON_US, onDropped: () => undefined },
  });
  const intake = createIntake({
    ...{ encoder: "native", frameRowsMax: 50_000, frameBytesMax: 4_194_304, rowBytesMax: 1_048_576 },
    ...{ futureMaxS: FUTURE_US / 1_000_000, syncIntervalMs: 0, clock, deadLetters },
    ttlDaysOf: (event) => event.ttlDays,
    ledger: createLedger(metrics),
    append: async (frames) => {
      for (const frame of frames) taken.set(frame.table, [...(taken.get(frame.table) ?? []), frame]);
    },
    room: async () => undefined,
    onDurable: () => undefined,
  });
  const gateway = await startTestGateway({
    config: { bodyBytesMax: 16_777_216 },
    accept: (table, rows) => intake.accept(table, rows),
    acceptLines: (table, text) => intake.acceptLines(table, text),
  });
  const agent = new Agent({ connections: LANES });
  onTestFinished(async () => {
    await agent.destroy();
    metrics.close();
  });
  // It keeps what it sees, for tests that are over sooner.
  const forget = () => {
    gateway.pushed.length = 0;
    gateway.logged.length = 0;
  };
  const post = async (table: string, kind: Kind, gzip: boolean, body: Buffer) => {
    const type = kind === "json" ? "application/json" : "application/x-ndjson";
    const headers = { "content-type": type, ...(gzip ? { "content-encoding": "gzip" } : {}) };
    const url = `${gateway.url}/v1/events/${table}`;
    const answer = await request(url, { method: "POST", headers, body, dispatcher: agent });
    forget();
    return { status: answer.statusCode, json: JSON.parse(await answer.body.text()) };
  };
  return {
    post,
    take: (table: string) => {
      const frames = taken.get(table) ?? [];
      taken.delete(table);
      return frames;
    },
  };
}

test("mutated bodies are answered, and exactly their good rows are taken", {
  timeout: 3_600_000,
}, async () => {
  const { post, take } = await stage();
  const events = EVENTS.slice(0, LANES);
  const mutators = events.map(mutatorOf);
  await fuzz("gateway bodies", LANES, async ({ random, show }, lane) => {
    const [event, mutator] = [events[lane], mutators[lane]];
    if (event === undefined || mutator === undefined) throw new Error("more lanes than tables");
    const kind = random.next() < 0.6 ? "ndjson" : "json";
    const gzip = random.next() < 0.1;
    const plain = mutated(mutator, random);
    const body = gzip
      ? changed(gzipSync(plain), random.next() < 0.5 ? { corpus: [], words: [] } : mutator, random)
      : plain;
    show(`${event.name}, ${kind}${gzip ? ", gzip" : ""}`, body);
    const { status, json } = await post(event.name, kind, gzip, body);
    const said = gzip ? unzipped(body) : body;
    const taken = rowsTaken(take(event.name));
    if (said === undefined) {
      mustBe([status, json.error?.code, taken], [400, "malformed_gzip", []]);
      return;
    }
    const values = valuesOf(said, kind);
    const due = rowsDue(event, said, kind);
    mustBe(taken, due);
    mustBe(status, due.length > 0 ? 202 : 400);
    if (values.length === 0) mustBe(json.error.code, "empty_body");
    else mustBe([json.accepted, json.rejectedCount], [due.length, values.length - due.length]);
  });
});
