// Reads alerts.yaml: shape, channels by their type, and rules over several settings. Every mistake of all of them is in
// one error, with its path and line. Secrets are never in the file, so every value may be repeated.
import { nearest } from "../../schema/near_names.ts";
import { type ConfigDocument, readDocument } from "../config/document.ts";
import { withoutPaths } from "../config/load.ts";
import { type Mistake, mistakesText } from "../config/mistake.ts";
import { vocabularyOf } from "../config/settings.ts";
import { shapeMistakes } from "../config/shape_mistakes.ts";
import { TickwatchError } from "../errors.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Channel } from "./channels.ts";
import {
  type AlertSettings,
  alertSettingsSchema,
  CHANNEL_SETTINGS,
  CHANNEL_TYPES,
  type ChannelType,
} from "./settings.ts";
import { brokenRules } from "./settings_rules.ts";

/** Looked for in the working directory when no file is named. */
const FILE_NAMES = ["alerts.yaml", "alerts.yml"];

export interface LoadedAlerts {
  readonly settings: AlertSettings;
  /** Those of the file, or one of each type, which then needs nothing but its variables. */
  readonly channels: readonly Channel[];
  /** As it was named; absent when there was none. */
  readonly file?: string;
}

/** What an empty file says. */
export function defaultAlertSettings(catalogue: Catalogue): LoadedAlerts {
  return checked({ file: undefined, value: {}, places: new Map(), mistakes: [], warnings: [] }, catalogue);
}

/** `named`, or the first of FILE_NAMES in `cwd`. Throws CONFIG_INVALID whose message lists every mistake. */
export function loadAlertSettings(
  named: string | undefined,
  cwd: string,
  catalogue: Catalogue,
): LoadedAlerts {
  return checked(readDocument(named, cwd, FILE_NAMES), catalogue);
}

function checked(document: ConfigDocument, catalogue: Catalogue): LoadedAlerts {
  const schema = alertSettingsSchema(catalogue.rules.map((rule) => rule.name));
  const outcome = schema.safeParse(withoutEmptySections(document.value));
  const described = channelsOf(document.value);
  const shape = outcome.success
    ? []
    : shapeMistakes(outcome.error.issues, document.value, new Set(), vocabularyOf(schema));
  const sound = outcome.success ? outcome : schema.safeParse(withoutMistakes(document.value, outcome.error));
  const names = { channels: described.names, muteTimes: muteTimeNames(document.value) };
  const rules = sound.success ? brokenRules(sound.data, names, catalogue) : [];
  const mistakes = [
    ...document.mistakes,
    ...[...shape, ...described.mistakes, ...rules].map((mistake) => withPlace(mistake, document)),
  ];
  if (mistakes.length > 0 || !outcome.success) {
    throw new TickwatchError("CONFIG_INVALID", mistakesText(mistakes, document.file, "alerts.example.yaml"));
  }
  return {
    settings: outcome.data,
    channels: described.channels,
    ...(document.file === undefined ? {} : { file: document.file }),
  };
}

/** For a second pass, so that mistakes between settings show beside those of the shape. */
function withoutMistakes(value: unknown, { issues }: { readonly issues: Issues }): unknown {
  const paths = issues.flatMap((i) => ("keys" in i ? i.keys.map((key) => [...i.path, key]) : [i.path]));
  const whole = paths.map((path) => (path[0] === "muteTimes" ? ["muteTimes"] : path));
  return withoutEmptySections(withoutPaths(value, whole));
}

/** Also of those with mistakes, so that what names them is no mistake of its own. */
function muteTimeNames(value: unknown): readonly string[] {
  const given = isRecord(value) ? value["muteTimes"] : undefined;
  if (!Array.isArray(given)) return [];
  return given.flatMap((one: unknown) =>
    isRecord(one) && typeof one["name"] === "string" ? [one["name"]] : [],
  );
}

/** `rules:` with nothing below it means the same as no `rules:` at all. */
function withoutEmptySections(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null));
}

interface Described {
  readonly channels: readonly Channel[];
  /** Also those with mistakes, so that routes to them are none. */
  readonly names: readonly string[];
  readonly mistakes: readonly Mistake[];
}

function channelsOf(value: unknown): Described {
  const given = isRecord(value) ? value["channels"] : undefined;
  if (given === undefined || given === null || !isRecord(given)) {
    const channels = CHANNEL_TYPES.map((type) => channelOf(type, type, {}).channel).filter(isPresent);
    return { channels, names: CHANNEL_TYPES, mistakes: [] };
  }
  const found = Object.entries(given).map(([name, settings]) => describe(name, settings));
  return {
    channels: found.map(({ channel }) => channel).filter(isPresent),
    names: Object.keys(given),
    mistakes: found.flatMap(({ mistakes }) => mistakes),
  };
}

interface OneDescribed {
  readonly channel?: Channel;
  readonly mistakes: readonly Mistake[];
}

/** A channel named like a type is of that type; `telegram:` alone is a whole description. */
function describe(name: string, given: unknown): OneDescribed {
  const path = `channels.${name}`;
  const settings = given ?? {};
  if (!isRecord(settings)) return { mistakes: [{ path, message: "must be settings of its own" }] };
  const { type = name, ...rest } = settings;
  const known = CHANNEL_TYPES.find((candidate) => candidate === type);
  if (known !== undefined) return channelOf(name, known, rest);
  const all = `one of ${CHANNEL_TYPES.join(", ")}`;
  if (!("type" in settings)) {
    return { mistakes: [{ path, message: `needs a type: ${all}${meant(name)}` }] };
  }
  const shown = typeof type === "string" ? JSON.stringify(type) : "what it is";
  const hint = typeof type === "string" ? meant(type) : "";
  return { mistakes: [{ path: `${path}.type`, message: `must be ${all}, not ${shown}${hint}` }] };
}

function meant(word: string): string {
  const near = nearest(word, CHANNEL_TYPES);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** One branch per type, so that the settings keep the type that belongs to them. */
function channelOf(name: string, type: ChannelType, rest: unknown): OneDescribed {
  const wrong = (issues: Issues) => wrongSettings(name, type, rest, issues);
  switch (type) {
    case "telegram": {
      const { data, error } = CHANNEL_SETTINGS.telegram.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "discord": {
      const { data, error } = CHANNEL_SETTINGS.discord.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "email": {
      const { data, error } = CHANNEL_SETTINGS.email.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "slack": {
      const { data, error } = CHANNEL_SETTINGS.slack.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "pagerduty": {
      const { data, error } = CHANNEL_SETTINGS.pagerduty.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "opsgenie": {
      const { data, error } = CHANNEL_SETTINGS.opsgenie.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
    case "webhook": {
      const { data, error } = CHANNEL_SETTINGS.webhook.safeParse(rest);
      return error ? wrong(error.issues) : { channel: { name, type, settings: data }, mistakes: [] };
    }
  }
}

type Issues = Parameters<typeof shapeMistakes>[0];

function wrongSettings(name: string, type: ChannelType, rest: unknown, issues: Issues): OneDescribed {
  const mistakes = shapeMistakes(issues, rest, new Set(), vocabularyOf(CHANNEL_SETTINGS[type]));
  return { mistakes: mistakes.map((one) => ({ ...one, path: `channels.${name}.${one.path}` })) };
}

/** The line of a value, or of the nearest thing around it that has one. */
function withPlace(mistake: Mistake, { places }: ConfigDocument): Mistake {
  for (let at = mistake.path; at !== ""; at = at.replace(/(\.?[^.[\]]+|\[\d+\])$/, "")) {
    const origin = places.get(at);
    if (origin !== undefined) return { ...mistake, origin };
  }
  return mistake;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
