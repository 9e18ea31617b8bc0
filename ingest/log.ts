// The root logger: JSON lines on stderr, readable ones on a terminal in development. Messages are constants; what
// varies goes into fields; errors under `err`. Secrets never reach it: the configuration is logged redacted only.
import { type Logger, pino } from "pino";

export type Log = Logger;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** `json` for machines, `text` for people. */
  readonly format: "json" | "text";
}

/** Fields whose value is always hidden, whoever logs them. */
const REDACTED = [
  "password",
  "apiKey",
  "secret",
  "token",
  "authorization",
  "*.password",
  "*.apiKey",
  "*.secret",
  "*.token",
];

/** The root logger; stages take a child with `{ stage }`. Written to stderr, so that stdout stays for results. */
export function createLog({ level, format }: LogOptions): Log {
  const base = { level, base: null, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") return pino(base, pino.destination({ dest: 2, sync: true }));
  return pino(base, textDestination());
}

interface LogLine {
  readonly [field: string]: unknown;
}

const LEVEL: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

/** One line of plain text per entry: time, level, stage, message, fields as key=value. */
function textDestination(): { write(line: string): void } {
  return {
    write(line) {
      process.stderr.write(textLine(line));
    },
  };
}

function textLine(line: string): string {
  const { level, time, msg, stage, err, ...fields }: LogLine = JSON.parse(line);
  const at = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(
    ([k, v]) => `${k}=${typeof v === "string" ? v : JSON.stringify(v)}`,
  );
  const failure =
    typeof err === "object" && err !== null && "message" in err ? [`err=${String(err.message)}`] : [];
  const words = [
    at,
    (LEVEL[Number(level)] ?? String(level)).padEnd(5),
    stage ? `${String(stage)}:` : "",
    msg ?? "",
    ...rest,
    ...failure,
  ];
  return `${words.filter((w) => w !== "").join(" ")}\n`;
}
