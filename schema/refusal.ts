// Why an input is not a row: a closed set of reasons (they label metrics and dead letters) and one sentence for people.
// Pure.
import type * as z from "zod";
import { nearest } from "./near_names.ts";

/** Every reason for which an input can be refused. Closed, so that counters stay bounded. */
export const REJECT_REASONS = [
  "unknown_table",
  "malformed_json",
  "not_an_object",
  "unknown_field",
  "missing_field",
  "wrong_type",
  "not_finite",
  "empty_symbol",
  "value_not_allowed",
  "too_long",
  "time_too_old",
  "time_too_far_ahead",
  "row_too_large",
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** `message` names the field and says what is due; it never repeats more than a short piece of the value. */
export type ParseOutcome<Row> =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly reason: RejectReason; readonly message: string };

type Issue = z.core.$ZodIssue;
type Refusal = Extract<ParseOutcome<never>, { ok: false }>;

/** The first issue decides the reason; the message lists up to five. `fields` are those that there are. */
export function refusalOf(issues: readonly Issue[], input: unknown, fields: readonly string[]): Refusal {
  const described = issues.map((issue) => describe(issue, input, fields));
  const first = described[0];
  if (first === undefined) return { ok: false, reason: "wrong_type", message: "not accepted" };
  const more = described.length > 5 ? [`and ${described.length - 5} more`] : [];
  return {
    ok: false,
    reason: first.reason,
    message: [...described.slice(0, 5).map((d) => d.message), ...more].join("; "),
  };
}

function describe(
  issue: Issue,
  input: unknown,
  fields: readonly string[],
): { reason: RejectReason; message: string } {
  const field = issue.path.join(".");
  const value = valueAt(input, issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return { reason: "unknown_field", message: unknownFields(issue.keys, fields) };
    case "invalid_value":
      if (value === undefined || value === null) return missing(field);
      return {
        reason: "value_not_allowed",
        message: `${field}: ${shown(value)} is not one of ${issue.values.map(String).join(", ")}`,
      };
    case "too_small":
      if (value === "") return { reason: "empty_symbol", message: `${field}: must not be empty` };
      return { reason: "wrong_type", message: `${field}: ${shown(value)} is below ${issue.minimum}` };
    case "too_big":
      if (typeof value === "number")
        return { reason: "wrong_type", message: `${field}: ${value} is above ${issue.maximum}` };
      return { reason: "too_long", message: `${field}: longer than ${issue.maximum} characters` };
    case "invalid_format":
      if (typeof value === "string" && value.includes("\0")) {
        return {
          reason: "value_not_allowed",
          message: `${field}: a symbol must not contain the character U+0000`,
        };
      }
      return { reason: "wrong_type", message: `${field}: ${shown(value)} is not of the expected form` };
    default:
      return describeType(issue, field, value);
  }
}

function unknownFields(keys: readonly string[], fields: readonly string[]): string {
  const described = keys.slice(0, 5).map((key) => {
    const meant = nearest(key, fields);
    return meant === undefined ? shown(key) : `"${key}" (did you mean ${meant}?)`;
  });
  if (keys.length > described.length) described.push(`and ${keys.length - described.length} more`);
  return `unknown field ${described.join(", ")}: see GET /v1/tables for the fields of this table`;
}

function describeType(
  issue: Issue,
  field: string,
  value: unknown,
): { reason: RejectReason; message: string } {
  if (field === "")
    return { reason: "not_an_object", message: `a row is a JSON object, this is ${kindOf(value)}` };
  if (value === undefined || value === null) return missing(field);
  if (typeof value === "number" && !Number.isFinite(value)) {
    return {
      reason: "not_finite",
      message: `${field}: ${value} cannot be stored; leave the field out instead`,
    };
  }
  const due = "expected" in issue ? DUE[String(issue.expected)] : undefined;
  return {
    reason: "wrong_type",
    message: `${field}: ${shown(value)} is not ${due ?? "of the expected type"}`,
  };
}

const DUE: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
};

function missing(field: string): { reason: RejectReason; message: string } {
  const hint = field === "ts" ? " (integer microseconds since 1970, or ISO 8601 with a zone)" : "";
  return { reason: "missing_field", message: `${field}: missing${hint}` };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "undefined" ? "nothing" : `a ${typeof value}`;
}

/** A short, safe rendering of a value for messages. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return kindOf(value);
}
