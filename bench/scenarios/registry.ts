// The list of all scenarios, in the order of the report. Adding one: a file here, and a line.
import { compare } from "./compare.ts";
import { curve } from "./curve.ts";
import { drain } from "./drain.ts";
import { encode } from "./encode.ts";
import { gateway } from "./gateway.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { panels } from "./panels.ts";
import { parse } from "./parse.ts";
import type { Scenario } from "./scenario.ts";
import { spool } from "./spool.ts";
import { start } from "./start.ts";
import { sustained } from "./sustained.ts";
import { writer } from "./writer.ts";

export const SCENARIOS: readonly Scenario[] = [
  compare,
  writer,
  gateway,
  encode,
  parse,
  spool,
  sustained,
  curve,
  latency,
  drain,
  start,
  memory,
  panels,
];
