// What must hold between settings of alerts.yaml, beyond the shape of each: names that exist, limits on the right side.
// Pure.
import { nearest } from "../../schema/near_names.ts";
import type { Mistake } from "../config/mistake.ts";
import type { Catalogue, CatalogueRule } from "./catalogue.ts";
import type { AlertSettings } from "./settings.ts";

/** Names that routes may use. */
interface KnownNames {
  readonly channels: readonly string[];
  readonly muteTimes: readonly string[];
}

/** Every broken rule, in the order of the file. */
export function brokenRules(
  settings: AlertSettings,
  { channels, muteTimes: mutes }: KnownNames,
  catalogue: Catalogue,
): Mistake[] {
  return [
    ...Object.entries(settings.routes).flatMap(([severity, route]) => [
      ...unknownNames(`routes.${severity}.channels`, route.channels ?? [], channels, "channel"),
      ...unknownNames(`routes.${severity}.mute`, route.mute, mutes, "name in muteTimes"),
    ]),
    ...unknownNames("escalation.channels", settings.escalation.channels ?? [], channels, "channel"),
    ...settings.muteTimes.flatMap((time, index) => muteTimeMistakes(time, index, mutes)),
    ...catalogue.rules.flatMap((rule) => limitMistakes(rule, settings)),
  ];
}

function unknownNames(
  path: string,
  names: readonly string[],
  known: readonly string[],
  what: string,
): Mistake[] {
  return names.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const near = nearest(name, known);
    const all = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
    const hint = near === undefined ? all : `did you mean ${near}?`;
    return [{ path: `${path}[${index}]`, message: `${JSON.stringify(name)} is no ${what}; ${hint}` }];
  });
}

function muteTimeMistakes(
  { name, times }: AlertSettings["muteTimes"][number],
  index: number,
  all: readonly string[],
): Mistake[] {
  const path = `muteTimes[${index}]`;
  const twice = all.indexOf(name) < index;
  return [
    ...(twice ? [{ path: `${path}.name`, message: `${JSON.stringify(name)} stands there twice` }] : []),
    ...(times ?? []).flatMap(({ from, to }, at) =>
      from < to
        ? []
        : [
            {
              path: `${path}.times[${at}]`,
              message: `from ${from} must be before to ${to}; over midnight, write two times: ${from} to 24:00 and 00:00 to ${to}`,
            },
          ],
    ),
  ];
}

function limitMistakes(rule: CatalogueRule, settings: AlertSettings): Mistake[] {
  const own = settings.rules[rule.name];
  const path = `rules.${rule.name}`;
  if (own === undefined) return [];
  if (rule.fixed) {
    return (["threshold", "recover"] as const)
      .filter((key) => own[key] !== undefined)
      .map((key) => ({ path: `${path}.${key}`, message: "this rule is on or off and has no limit to set" }));
  }
  if (rule.name === "AlertUnacknowledged" && own.threshold !== undefined) {
    return [{ path: `${path}.threshold`, message: "is set with escalation.afterMinutes" }];
  }
  const at = own.threshold ?? rule.at;
  const back = own.recover ?? (own.threshold === undefined ? rule.back : undefined);
  if (back === undefined || (rule.op === "gt" ? back <= at : back >= at)) return [];
  const side = rule.op === "gt" ? "above" : "below";
  const due = rule.op === "gt" ? "at most" : "at least";
  return [
    {
      path: `${path}.recover`,
      message: `the alert fires ${side} ${at}, so it must be ${due} ${at}, not ${back}`,
    },
  ];
}
