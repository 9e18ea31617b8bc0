// Catalogue + alerts.yaml → the files that Grafana reads, and what a person should know about them. Writes nothing.
import type { Environment } from "../config/substitute.ts";
import type { Catalogue } from "./catalogue.ts";
import { SEVERITIES } from "./catalogue.ts";
import { contactPointsFile, policiesFile, reachable, toldBy } from "./contact_points.ts";
import { effectiveRules } from "./effective_rules.ts";
import type { LoadedAlerts } from "./load.ts";
import { templatesFile } from "./messages.ts";
import { groupFile } from "./rules_file.ts";
import { yamlText } from "./yaml_text.ts";

export interface GeneratedAlerts {
  /** Text by name in the folder that Grafana reads. */
  readonly files: ReadonlyMap<string, string>;
  /** What takes the place of some of them where Grafana's scheduler has a tick of 2 s. */
  readonly filesForShortTick: ReadonlyMap<string, string>;
  /** One line each: who is told, and who is left out and why. */
  readonly notes: readonly string[];
}

/** `formerly`: uids of contact points in the files that are about to be replaced. */
export function generateAlerts(
  catalogue: Catalogue,
  { settings, channels }: LoadedAlerts,
  env: Environment,
  formerly: readonly string[] = [],
): GeneratedAlerts {
  const reach = reachable(channels, env);
  const told = toldBy(settings, reach);
  const rules = effectiveRules(catalogue, settings, told.escalation.length > 0);
  const { runbook } = settings;
  const { gone } = catalogue;
  const critical = (interval: string) => yamlText(groupFile("critical", rules, { interval, runbook }));
  const notes = [
    ...[...reach.leftOut].map(([name, reason]) => `${name}: ${reason}: left out`),
    ...SEVERITIES.map((severity) => `${severity} alerts go to ${named(told[severity])}`),
    told.escalation.length === 0
      ? "what nobody acknowledges is not told again"
      : `critical alerts without an acknowledgement go to ${named(told.escalation)} after ${settings.escalation.afterMinutes} minutes`,
    ...rules.filter((rule) => rule.paused).map((rule) => `${rule.name} is paused`),
  ];
  return {
    files: new Map([
      ["critical.yaml", critical("10s")],
      ["rules.yaml", yamlText(groupFile("standard", rules, { interval: "10s", runbook, gone }))],
      ["contact_points.yaml", yamlText(contactPointsFile(reach, formerly))],
      ["policies.yaml", yamlText(policiesFile(settings, told))],
      ["templates.yaml", yamlText(templatesFile())],
    ]),
    filesForShortTick: new Map([["critical.yaml", critical("2s")]]),
    notes,
  };
}

function named(channels: readonly string[]): string {
  return channels.length === 0 ? "nobody, only into the history" : channels.join(", ");
}
