// Rules with what alerts.yaml changes about them. Pure.
import type { Catalogue, CatalogueRule } from "./catalogue.ts";
import type { AlertSettings } from "./settings.ts";

export interface EffectiveRule extends CatalogueRule {
  readonly paused: boolean;
}

/** The rule that tells the next channel when nobody answers. */
export const ESCALATION_RULE = "AlertUnacknowledged";

/** All rules in the order of the catalogue. `escalates`: there is a channel for what nobody acknowledges. */
export function effectiveRules(
  catalogue: Catalogue,
  settings: AlertSettings,
  escalates: boolean,
): readonly EffectiveRule[] {
  return catalogue.rules.map((rule) => {
    const own = settings.rules[rule.name];
    const isEscalation = rule.name === ESCALATION_RULE;
    const at = isEscalation ? settings.escalation.afterMinutes * 60 : (own?.threshold ?? rule.at);
    const { back: shippedBack, ...rest } = rule;
    const back = own?.recover ?? inProportion(shippedBack, rule.at, at);
    return {
      ...rest,
      at,
      ...(back === undefined ? {} : { back }),
      for: own?.for ?? rule.for,
      severity: own?.severity ?? rule.severity,
      paused: own?.enabled === false || (isEscalation && !escalates),
    };
  });
}

/** Whoever moves the limit means its lower edge to move along. */
function inProportion(back: number | undefined, shipped: number, at: number): number | undefined {
  if (back === undefined || at === shipped) return back;
  return Number(((back / shipped) * at).toPrecision(6));
}
