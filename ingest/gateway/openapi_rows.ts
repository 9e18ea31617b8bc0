// JSON Schemas and example rows of the tables, for the OpenAPI document.
import * as z from "zod";
import { type Column, timestamp } from "../../schema/columns.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { microsToIso } from "../../schema/timestamp_text.ts";
import { TS_DOC } from "./tables_document.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The schema of one row: every column with its bounds and meaning, nothing else allowed. */
export function rowSchema(event: EventDefinition): JsonSchema {
  const columns = Object.entries(event.columns);
  const required = columns.filter(([, column]) => column.presence === "required").map(([name]) => name);
  return {
    type: "object",
    title: event.name,
    description: `${event.why} One row: ${event.sampling}.`,
    properties: {
      ts: columnSchema(timestamp(TS_DOC)),
      ...Object.fromEntries(columns.map(([name, column]) => [name, columnSchema(column)])),
    },
    required: ["ts", ...required],
    additionalProperties: false,
  };
}

function columnSchema(column: Column): JsonSchema {
  const made = column.presence === "derived" ? " Left out, it is made from the row." : "";
  const description = `${column.doc}${made}`;
  const [only, ...more] = choicesOf(column);
  return more.length === 0 ? { ...only, description } : { anyOf: [only, ...more], description };
}

function choicesOf(column: Column): readonly JsonSchema[] {
  const { $schema: _, ...schema } = z.toJSONSchema(column.check);
  const iso = column.type === "TIMESTAMP" ? [{ type: "string", format: "date-time" }] : [];
  const absent = column.presence === "required" ? [] : [{ type: "null" }];
  return [{ ...schema }, ...iso, ...absent];
}

/** Values that make an example readable, by the name of a text column. */
const TEXTS: Readonly<Record<string, string>> = {
  account: "main",
  channel: "rest",
  component: "order_router",
  currency: "USDT",
  daemon: "trader",
  dataset: "open_interest",
  exchange: "binanceusdm",
  fee_currency: "USDT",
  indicator: "ema_cross",
  instance: "host-1:4242",
  message: "order rejected: insufficient margin",
  name: "queue_depth",
  source: "trader",
  strategy: "trend_1h",
  symbol: "BTC/USDT:USDT",
  table: "fills",
};

/** A row of the table that is accepted while `nowUs` is recent; `ts` in the form that people read. */
export function exampleRow(event: EventDefinition, nowUs: number): Readonly<Record<string, unknown>> {
  const shown = Object.entries(event.columns).filter(([, column]) => column.presence !== "derived");
  return {
    ts: microsToIso(nowUs),
    ...Object.fromEntries(shown.map(([name, column]) => [name, exampleValue(name, column, nowUs)])),
  };
}

function exampleValue(name: string, column: Column, nowUs: number): unknown {
  switch (column.type) {
    case "SYMBOL":
    case "VARCHAR":
      return column.values?.[0] ?? TEXTS[name] ?? `example_${name}`;
    case "DOUBLE":
      return 1.5;
    case "LONG":
      return 1;
    case "BOOLEAN":
      return true;
    case "UUID":
      return "0189c1d2-3e4f-7a5b-8c6d-0e1f2a3b4c5d";
    case "TIMESTAMP":
      return nowUs;
  }
}
