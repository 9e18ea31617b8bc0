// Protects rows from answers that are none: whatever comes back on the connection, the sender ends with an outcome, takes
// nothing for a confirmation that does not say 204, names no line that the answer does not name, and takes nothing that
// was left on a connection for the answer to the next request.
import { createServer, type Socket } from "node:net";
import { onTestFinished, test } from "vitest";
import { createIlpHttp, type IlpHttp } from "../../ingest/deliver/ilp_http.ts";
import { afterRefusal, afterSilence, NO_ISOLATION } from "../../ingest/deliver/isolation.ts";
import { type Outcome, POLICY } from "../../ingest/deliver/outcome.ts";
import { fuzz, mustBe } from "../support/fault_fuzz.ts";
import { falseAnswer, MALFORMED } from "../support/fault_kinds.ts";
import { type Mutator, mutated } from "../support/fault_mutator.ts";

const LANES = 8;

/** Only answers on a connection that stays open may need it. */
const TIMEOUT_MS = 250;

function answer(status: string, body: string, more = ""): string {
  return `HTTP/1.1 ${status}\r\nServer: questDB/1.0\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function chunked(status: string, ...pieces: string[]): string {
  const body = [...pieces, ""]
    .map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`)
    .join("");
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}

const REFUSAL = JSON.stringify({
  code: "invalid",
  message: "failed to parse line protocol:errors encountered on line(s):\nerror in line 3: table: orders",
  line: 3,
  errorId: "5b8d5d3bcd2b-1",
});

/** What QuestDB answers, and what proxies and strangers do. */
const CORPUS = [
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 204 OK\r\nServer: questDB/1.0\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  answer("400 Bad Request", REFUSAL, "Content-Type: application/json; charset=utf-8\r\n"),
  chunked("400 Bad request", REFUSAL.slice(0, 60), REFUSAL.slice(60)),
  chunked("500 Internal Server Error", '{"code":"internal error","message":"table is suspended","line":1}'),
  ...([200, 401, 413, 421, 500, 503] as const).map(falseAnswer),
  ...Object.values(MALFORMED).map(({ bytes }) => bytes),
].map((text) => Buffer.from(text, "latin1"));

const WORDS = [
  ..."HTTP/1.1 HTTP/1.0 204 400 500 No Content-Length: Transfer-Encoding: chunked Connection: close line code".split(
    " ",
  ),
  ...[
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\n\n",
    ": ",
    '"line":',
    '"line":1e2',
    '"line":-1',
    '"line":null',
    '"line":{"line":2}',
    "{",
    "}",
  ],
  ...[
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "Content-Length: 99999\r\n",
    "Content-Length: 0\r\n",
    "Connection: upgrade\r\nUpgrade: x\r\n",
  ],
  ...[
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  ],
  ...[
    "Content-Encoding: gzip\r\n",
    "Trailer: x\r\n",
    "\t folded\r\n",
    "\u0000",
    '"message":"\\ud800"',
    "[".repeat(5_000),
  ],
];

interface Lane {
  readonly sender: IlpHttp;
  /** What the server does with the next request: these bytes, and the end of the connection if it is to end. */
  next: { readonly bytes: Buffer; readonly end: boolean };
}

/** A server that answers each request with what its lane says; a sender with one connection for each lane. */
async function openLanes(): Promise<Lane[]> {
  const lanes: Lane[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => undefined);
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const lane = /\r\n\r\nlane (\d+)\n$/.exec(text);
      if (lane === null) return;
      text = "";
      const next = lanes[Number(lane[1])]?.next;
      if (next === undefined) return;
      if (next.end) socket.end(next.bytes);
      else socket.write(next.bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}`;
  for (let lane = 0; lane < LANES; lane++) {
    const sender = createIlpHttp({ url, connections: 1, timeoutMs: TIMEOUT_MS });
    lanes.push({ sender, next: { bytes: Buffer.alloc(0), end: true } });
  }
  onTestFinished(async () => {
    await Promise.all(lanes.map(({ sender }) => sender.close()));
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return lanes;
}

/** Interim answers, and then one that confirms. */
const CONFIRMS = /^(?:HTTP\/1\.[01] 1\d\d[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n)*HTTP\/1\.[01] 204\b/;

function judge(outcome: Outcome, bytes: Buffer): void {
  // Empty lines in front, and what looks like them, are passed over by every parser.
  const text = bytes.toString("latin1").replace(/^[\r\n]+/, "");
  if (outcome.kind === "written") {
    mustBe(
      [outcome, CONFIRMS.test(text) ? "confirms" : text.slice(0, 300)],
      [{ kind: "written" }, "confirms"],
    );
    return;
  }
  mustBe(
    typeof outcome.message === "string" &&
      outcome.message.length <= 65_536 &&
      POLICY[outcome.kind] !== undefined,
    true,
  );
  if (outcome.kind === "row_refused") {
    const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)].map(([number]) => Number(number));
    const isNamed = numbers.includes(outcome.line) || /chunked/i.test(text);
    mustBe([outcome.line > 0, isNamed, text.includes("400")], [true, true, true]);
  }
  const mayBeStored = outcome.kind === "timeout" || outcome.kind === "unavailable";
  const step = mayBeStored ? undefined : afterRefusal(NO_ISOLATION, outcome, 10, 100);
  const next = step?.next ?? afterSilence(NO_ISOLATION, 10);
  mustBe(next.limitRows >= 1, true);
  // Whatever one answer says, no row is given up for it but the first one, when it is named.
  const givesUp = step?.action === "dead_letter";
  mustBe(givesUp && !(outcome.kind === "row_refused" && outcome.line === 1), false);
}

test("mutated answers end in an outcome that they say, and none outlives its request", {
  timeout: 3_600_000,
}, async () => {
  const lanes = await openLanes();
  const mutator: Mutator = { corpus: CORPUS, words: WORDS };
  const { signal } = new AbortController();
  await fuzz("answers", LANES, async ({ random, show }, index) => {
    const lane = lanes[index];
    if (lane === undefined) throw new Error("no such lane");
    const request = [Buffer.from(`lane ${index}\n`)];
    const bytes = mutated(mutator, random);
    const stays = random.next() < 0.005;
    show(stays ? "answer, the connection stays" : "answer, the connection ends", bytes);
    lane.next = { bytes, end: !stays };
    judge(await lane.sender.send(request, signal), bytes);
    if (!stays) return;
    const another = Buffer.from(falseAnswer(503), "latin1");
    lane.next = { bytes: another, end: true };
    judge(await lane.sender.send(request, signal), another);
  });
});
