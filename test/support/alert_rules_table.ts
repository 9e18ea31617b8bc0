// The table of alert rules as docs/alerts.md has it. `npx tsx test/support/alert_rules_table.ts` prints it.
import { type Catalogue, type CatalogueRule, readCatalogue } from "../../ingest/alerting/catalogue.ts";
import { limitText } from "../../ingest/alerting/value_text.ts";

/** Markdown, a line per rule in the order of the catalogue. */
export function rulesTable({ rules }: Catalogue): string {
  const lines = rules.map((rule) =>
    row([
      `[${rule.name}](runbook.md#${rule.name.toLowerCase()})`,
      rule.severity,
      rule.fixed ? "on or off" : limitText(rule),
      rule.back === undefined ? "" : limitText({ ...rule, op: opposite(rule), at: rule.back }),
      rule.for === "0s" ? "at once" : rule.for,
      rule.group === "critical" ? "2 s" : "10 s",
      rule.noData,
      rule.execError,
    ]),
  );
  const head = [
    row(["rule", "severity", "fires", "ends", "after", "every", "no data", "query fails"]),
    row(Array.from({ length: 8 }, () => "---")),
  ];
  return [...head, ...lines].join("\n");
}

function opposite({ op }: CatalogueRule): CatalogueRule["op"] {
  return op === "gt" ? "lt" : "gt";
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

if (process.argv[1] === import.meta.filename) console.log(rulesTable(readCatalogue()));
