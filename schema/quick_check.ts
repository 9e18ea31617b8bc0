// The quick half of a parser: recognizes a row that is plainly right, at a tenth of the price of the full check. What it
// does not recognize is not wrong yet: zod decides, and words the refusal. It must never accept what zod would not; a
// property test compares the two (docs/adr/0006). Pure.
import { type Column, SYMBOL_LENGTH_MAX, UUID_PATTERN, VARCHAR_LENGTH_MAX } from "./columns.ts";

/** True when the input certainly is a row whose values need no conversion. False says nothing. */
export type QuickCheck = (input: unknown) => boolean;

/**
 * Compiles the check of one event to straight-line code: property names become part of it, so that the engine can
 * look each up at a fixed place of the object. Column names are snake_case (define.ts asserts it), so nothing foreign
 * gets into the source.
 */
export function compileQuickCheck(columns: Readonly<Record<string, Column>>): QuickCheck {
  const names = Object.keys(columns);
  const source = [
    '"use strict";',
    "return (r) => {",
    '  if (typeof r !== "object" || r === null || Array.isArray(r)) return false;',
    "  let known = 1;",
    "  const ts = r.ts;",
    "  if (!Number.isSafeInteger(ts) || ts < 0) return false;",
    ...names.flatMap((name) => columnSource(name, columns[name])),
    // A field that is not known shows as one too many.
    "  let present = 0;",
    "  for (const _ in r) present++;",
    "  return present === known;",
    "};",
  ].join("\n");
  return new Function("uuid", source)(UUID_PATTERN);
}

function columnSource(name: string, column: Column | undefined): string[] {
  if (column === undefined) return [];
  const value = `r.${name}`;
  const refuse = `if (!(${conditionOf(column, "v")})) return false;`;
  if (column.presence === "required") return [`  { const v = ${value}; ${refuse} known++; }`];
  return [`  { const v = ${value}; if (v !== undefined) { if (v !== null) { ${refuse} } known++; } }`];
}

function conditionOf(column: Column, v: string): string {
  switch (column.type) {
    case "SYMBOL":
      if (column.values !== undefined)
        return column.values.map((one) => `${v} === ${JSON.stringify(one)}`).join(" || ");
      return `typeof ${v} === "string" && ${v}.length > 0 && ${v}.length <= ${SYMBOL_LENGTH_MAX} && !${v}.includes("\\0")`;
    case "VARCHAR":
      return `typeof ${v} === "string" && ${v}.length <= ${VARCHAR_LENGTH_MAX}`;
    case "DOUBLE":
      return `Number.isFinite(${v})`;
    case "LONG":
      return `Number.isSafeInteger(${v})`;
    case "TIMESTAMP":
      return `Number.isSafeInteger(${v}) && ${v} >= 0`;
    case "BOOLEAN":
      return `typeof ${v} === "boolean"`;
    case "UUID":
      return `typeof ${v} === "string" && uuid.test(${v})`;
  }
}
