// The runbook and the rules know each other, both ways, and docs/alerts.md lists the rules as they are.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { readCatalogue } from "../../ingest/alerting/catalogue.ts";
import { CHANNEL_SETTINGS, CHANNEL_TYPES } from "../../ingest/alerting/settings.ts";
import { rulesTable } from "../support/alert_rules_table.ts";
import { runbookSections } from "../support/runbook.ts";

const FILES = "provisioning/dashboards/files/tickwatch";
const Panel = z.object({ id: z.int(), type: z.string() });
const Dashboard = z.object({
  uid: z.string(),
  panels: z.array(Panel.extend({ panels: z.array(Panel).optional() })),
});

const catalogue = readCatalogue();
const names = catalogue.rules.map(({ name }) => name);
const text = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

/** What a section lacks; one line each. */
function problemsOf(runbook: string, rules: readonly string[]): string[] {
  const sections = runbookSections(runbook);
  const titles = sections.map(({ title }) => title);
  return [
    ...rules.filter((name) => !titles.includes(name)).map((name) => `${name} has no section`),
    ...titles.filter((title) => !rules.includes(title)).map((title) => `${title} is no rule`),
    ...sections.flatMap(({ title, body, queries }) => [
      ...["Means", "Likely causes", "What to do"]
        .filter((part) => !new RegExp(`^\\*\\*${part}:\\*\\* \\S`, "m").test(body))
        .map((part) => `${title} does not say: ${part}`),
      ...(queries.length === 0 ? [`${title} has no query`] : []),
    ]),
  ];
}

describe("the runbook", () => {
  test("has a complete section for every rule, and none for anything else", () => {
    expect(problemsOf(text("docs/runbook.md"), names)).toEqual([]);
  });

  test("a missing section, a stray one, a missing part and a missing query are found", () => {
    const runbook =
      "# Runbook\n\n## CpuHigh\n\n**Means:** it is busy.\n\n**What to do:** wait.\n\n## CpuLow\n";
    expect(problemsOf(runbook, ["CpuHigh", "ClockSkew"])).toEqual([
      "ClockSkew has no section",
      "CpuLow is no rule",
      "CpuHigh does not say: Likely causes",
      "CpuHigh has no query",
      "CpuLow does not say: Means",
      "CpuLow does not say: Likely causes",
      "CpuLow does not say: What to do",
      "CpuLow has no query",
    ]);
  });
});

describe("dashboards", () => {
  const folder = join(import.meta.dirname, "../..", FILES);
  const dashboards = readdirSync(folder).map((name) => Dashboard.parse(JSON.parse(text(join(FILES, name)))));

  /** The panel that a rule points to, rows opened. */
  function panelOf({ dashboard, id }: { readonly dashboard: string; readonly id: number }) {
    const panels = dashboards.find(({ uid }) => uid === dashboard)?.panels ?? [];
    return panels
      .flatMap((panel) => [panel, ...(panel.panels ?? [])])
      .find((panel) => panel.id === id && panel.type !== "row");
  }

  test.each(catalogue.rules)("$name points to a panel that exists", ({ panel }) => {
    expect(panelOf(panel)).toBeDefined();
  });

  test("a panel that does not exist is found out", () => {
    expect(panelOf({ dashboard: "tickwatch-health", id: 99 })).toBeUndefined();
    expect(panelOf({ dashboard: "tickwatch-nowhere", id: 101 })).toBeUndefined();
  });
});

describe("docs/alerts.md", () => {
  const cells = (markdown: string) =>
    markdown
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) =>
        line
          .split("|")
          .map((cell) => cell.trim().replace(/^-+$/, "---"))
          .join("|"),
      );

  test("lists the rules with their limits as they are", () => {
    const documented = cells(text("docs/alerts.md"));
    for (const line of cells(rulesTable(catalogue))) expect(documented).toContain(line);
    expect(documented.filter((line) => line.includes("](runbook.md#"))).toHaveLength(names.length);
  });

  test("names every variable that a channel looks at by default", () => {
    const documented = text("docs/alerts.md");
    for (const type of CHANNEL_TYPES) {
      expect(documented).toContain(`| \`${type}\``);
      const defaults = Object.values(CHANNEL_SETTINGS[type].parse({}));
      for (const value of defaults)
        if (typeof value === "string" && /^[A-Z_]+$/.test(value)) expect(documented).toContain(value);
    }
  });
});
