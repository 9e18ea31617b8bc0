// Rules over several settings. Each names the settings it reads: a rule is skipped while one of them has a mistake of
// its own, and holds for all others, so that one run reports everything. Pure.
import type { Mistake } from "./mistake.ts";
import type { Config } from "./schema.ts";

interface Rule {
  /** The setting that the mistake is reported at. */
  readonly at: string;
  /** Settings as `section.key` (or the key at the top) without which the rule cannot be judged. */
  readonly reads: readonly string[];
  /** Why the configuration breaks the rule, or undefined. */
  broken(config: Config): string | undefined;
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

const RULES: readonly Rule[] = [
  {
    at: "http.host",
    reads: ["http.host", "http.keys"],
    broken: ({ http }) =>
      LOOPBACK.includes(http.host) || http.keys.length > 0
        ? undefined
        : `refusing to listen on ${http.host} without an API key: anybody who reaches it could write; set http.keys or use 127.0.0.1`,
  },
  {
    at: "http.keys",
    reads: ["profile", "http.keys"],
    broken: ({ profile, http }) =>
      profile === "production" && http.keys.length === 0
        ? "the production profile needs at least one API key; set http.keys or TICKWATCH_API_KEY"
        : undefined,
  },
  {
    at: "http.keys",
    reads: ["http.keys"],
    broken: ({ http }) => {
      const twice = duplicates(http.keys.map((key) => key.name));
      return twice.length === 0
        ? undefined
        : `two keys are named ${twice.join(", ")}; logs could not tell them apart`;
    },
  },
  {
    at: "questdb.start",
    reads: ["questdb.start", "questdb.url"],
    broken: ({ questdb }) =>
      questdb.start === "never" && questdb.url === undefined
        ? "never leaves no QuestDB to write to; set questdb.url or let one be started"
        : undefined,
  },
  {
    at: "writer.lingerMinMs",
    reads: ["writer.lingerMinMs", "writer.lingerMaxMs"],
    broken: ({ writer }) => above(writer.lingerMinMs, writer.lingerMaxMs, "writer.lingerMaxMs"),
  },
  {
    at: "writer.frameBytesMax",
    reads: ["writer.frameBytesMax", "writer.requestBytesMax"],
    broken: ({ writer }) => above(writer.frameBytesMax, writer.requestBytesMax, "writer.requestBytesMax"),
  },
  {
    at: "intake.rowBytesMax",
    reads: ["intake.rowBytesMax", "writer.frameBytesMax"],
    broken: ({ intake, writer }) => above(intake.rowBytesMax, writer.frameBytesMax, "writer.frameBytesMax"),
  },
  {
    at: "spool.segmentBytes",
    reads: ["spool.segmentBytes", "spool.bytesMax"],
    broken: ({ spool }) => above(spool.segmentBytes, spool.bytesMax, "spool.bytesMax"),
  },
];

/** The rules that `config` breaks, except those that read one of the `unsettled` settings. */
export function brokenRules(config: Config, unsettled: ReadonlySet<string>): Mistake[] {
  return RULES.filter((rule) => !rule.reads.some((setting) => unsettled.has(setting))).flatMap((rule) => {
    const message = rule.broken(config);
    return message === undefined ? [] : [{ path: rule.at, message }];
  });
}

function above(value: number, limit: number, name: string): string | undefined {
  return value > limit ? `${value} is above ${name} (${limit})` : undefined;
}

function duplicates(words: readonly string[]): readonly string[] {
  return [...new Set(words.filter((word, i) => words.indexOf(word) !== i))];
}
