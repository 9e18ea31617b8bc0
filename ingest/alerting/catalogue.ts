// The alert rules as they are shipped: rendered from dashboards-jsonnet/alerts, read from a file beside the code.
import { readFileSync } from "node:fs";
import * as z from "zod";
import { shippedPath } from "../package_root.ts";

export const SEVERITIES = ["critical", "warning", "info"] as const;

const State = z.enum(["OK", "Alerting", "KeepLast"]);

const Rule = z.strictObject({
  /** Also the title in Grafana, the label `alertname` and, in lower case, the section of the runbook. */
  name: z.string().regex(/^[A-Z][A-Za-z0-9]+$/),
  /** Rules of `critical` are evaluated as often as Grafana's scheduler allows. */
  group: z.enum(["critical", "standard"]),
  severity: z.enum(SEVERITIES),
  /** With `[value]` where the value stands. */
  summary: z.string(),
  sql: z.string(),
  unit: z.enum(["seconds", "milliseconds", "bytes", "fraction", "percent", "count", "factor", "flag"]),
  op: z.enum(["gt", "lt"]),
  /** Beyond it the alert fires. */
  at: z.number(),
  /** Behind it a firing alert ends; the same as `at` when absent. */
  back: z.number().optional(),
  /** There is nothing to compare with: the value is 0 or it is not. */
  fixed: z.boolean(),
  for: z.string(),
  noData: State,
  execError: State,
  panel: z.strictObject({ dashboard: z.string(), id: z.int() }),
});

export type CatalogueRule = Readonly<z.output<typeof Rule>>;

const CatalogueSchema = z.strictObject({
  rules: z.array(Rule),
  /** Names of rules that there once were. */
  gone: z.array(z.string()),
});

export type Catalogue = Readonly<z.output<typeof CatalogueSchema>>;

/** The catalogue of this installation. */
export function readCatalogue(): Catalogue {
  const path = shippedPath("provisioning", "alert_catalogue.json");
  return CatalogueSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** `ExchangeDown5m` → `tickwatch-exchange-down-5m`: how Grafana knows the rule, whatever its title and folder. */
export function ruleUid(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .replaceAll(/([a-z])([0-9])/g, "$1-$2");
  return `tickwatch-${words.toLowerCase()}`;
}
