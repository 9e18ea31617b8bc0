// How results read: one line each, for people with the remedy below, for programs as JSON. Pure.
import type { Level, Result } from "./check.ts";

const NAME_WIDTH = 20;
const LEVEL_WIDTH = 8;

/** `ok       node                 20.20.2`; further lines are indented below the detail. */
export function resultText({ level, name, detail, remedy }: Result): string {
  const indent = " ".repeat(LEVEL_WIDTH + 1 + NAME_WIDTH + 1);
  const head = `${level.padEnd(LEVEL_WIDTH)} ${name.padEnd(NAME_WIDTH)} `;
  const todo = (remedy?.split("\n") ?? []).map((line, i) => (i === 0 ? `→ ${line}` : `  ${line}`));
  const lines = [...detail.split("\n"), ...todo];
  return head + lines.join(`\n${indent}`);
}

export function resultJson({ level, name, detail, remedy }: Result): string {
  return JSON.stringify({ level, name, detail, ...(remedy === undefined ? {} : { remedy }) });
}

/** The last line: how many of each. */
export function summaryText(levels: readonly Level[]): string {
  const count = (level: Level) => {
    const n = levels.filter((l) => l === level).length;
    return `${n} ${level}${level === "ok" || n === 1 ? "" : "s"}`;
  };
  return [count("ok"), count("warning"), count("failure")].join(", ");
}
