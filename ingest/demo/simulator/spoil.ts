// Spoils an answer as a broken venue would: a text that doesn't parse, or a tree with the wrong things in it.

import type { Json } from "./venue_api.ts";

/** The wrong things, in turn. A word that isn't a number, an object, nothing, a list. */
const WRONG: readonly Json[] = ["abc", { unexpected: true }, null, []];

/** The first part of a JSON text; never valid JSON itself. */
export function cutShort(text: string): string {
  return text.length < 3 ? `${text}{` : text.slice(0, Math.ceil(text.length * 0.6));
}

/**
 * The same tree with every number, and every text that is a number, replaced. Names and ids stay, and so does a
 * field called `code`: it would turn the whole answer into a refusal, which is another fault.
 */
export function wrongTypes(tree: Json): Json {
  let replaced = 0;
  const visit = (value: Json): Json => {
    if (typeof value === "number" || (typeof value === "string" && isNumeric(value))) {
      return WRONG[replaced++ % WRONG.length] ?? null;
    }
    if (typeof value !== "object" || value === null) return value;
    if (isList(value)) return value.map(visit);
    return Object.fromEntries(
      Object.entries(value).map(([key, of]) => [key, key === "code" ? of : visit(of)]),
    );
  };
  return visit(tree);
}

function isNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

/** `Array.isArray` doesn't narrow a readonly array. */
function isList(value: readonly Json[] | { readonly [key: string]: Json }): value is readonly Json[] {
  return Array.isArray(value);
}
