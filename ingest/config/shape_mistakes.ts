// Turns what zod reports into mistakes that a person can act on: what is there, what is due, and for an unknown key
// the one that was probably meant. Values that may be secret are never shown. Pure.
import type * as z from "zod";
import { nearest } from "../../schema/near_names.ts";
import { type Mistake, pathText, type SettingPath } from "./mistake.ts";
import { withoutLogin } from "./redact.ts";
import { CONFIG_VOCABULARY, settingOf, type Vocabulary } from "./settings.ts";

type Issue = z.core.$ZodIssue;

/**
 * One mistake per issue, except that each unknown key is one of its own. `input` is what was checked; values at the
 * `hidden` paths (they came out of the environment) are not repeated.
 */
export function shapeMistakes(
  issues: readonly Issue[],
  input: unknown,
  hidden: ReadonlySet<string>,
  vocabulary: Vocabulary = CONFIG_VOCABULARY,
): Mistake[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey(issue.path, key, vocabulary));
    const path = pathText(issue.path);
    const hide = hidden.has(path) || vocabulary.holdsSecret(settingOf(path));
    const due = `must be ${withArticle(vocabulary.typeAt(issue.path) ?? "something else")}`;
    return [{ path, message: messageOf(issue, valueAt(input, issue.path), { hide, due }) }];
  });
}

function unknownKey(path: SettingPath, key: string, vocabulary: Vocabulary): Mistake {
  const known = vocabulary.knownKeys(path);
  const hint = nearest(key, known) ?? elsewhere(key, vocabulary);
  const due = hint === undefined ? `known here: ${known.join(", ")}` : `did you mean ${hint}?`;
  return { path: pathText([...path, key]), message: `no such ${nounAt(path)}; ${due}` };
}

/** What the keys below this path are. */
function nounAt(path: SettingPath): string {
  if (path[0] === "retention" && path.length > 1) return "table";
  return path[0] === "rules" && path.length === 1 ? "rule" : "setting";
}

/** The whole path of a setting with (nearly) this name in another section. */
function elsewhere(key: string, vocabulary: Vocabulary): string | undefined {
  const paths = vocabulary.listSettings().map((setting) => setting.path);
  const name = (path: string) => path.slice(path.lastIndexOf(".") + 1);
  const meant = nearest(key, paths.map(name));
  return paths.find((path) => name(path) === meant);
}

function messageOf(
  issue: Issue,
  value: unknown,
  { hide, due }: { readonly hide: boolean; readonly due: string },
): string {
  const found = hide ? "its value is not shown" : `not ${shown(value)}`;
  switch (issue.code) {
    case "custom":
      return issue.message;
    case "invalid_format":
      return issue.format === "url"
        ? `must be a URL such as http://127.0.0.1:9000, ${found}`
        : `${issue.message}, ${found}`;
    case "invalid_value": {
      if (value === undefined) return `is missing; it ${due}`;
      const meant = typeof value === "string" && !hide ? nearest(value, issue.values.map(String)) : undefined;
      return `${due}, ${found}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
    }
    case "invalid_key":
      return `its name ${issue.issues[0]?.message ?? "is not allowed"}`;
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array") return tooShort(issue, value);
      return `${due}, ${found}`;
    case "invalid_type":
      if (value === undefined) return `is missing; it ${due}`;
      if (value === null) return `has no value; it ${due}`;
      return `${due}, ${found}`;
    default:
      return `${due}, ${found}`;
  }
}

function withArticle(type: string): string {
  if (type.startsWith("integer")) return `an ${type}`;
  return /^(number|URL|list)/.test(type) ? `a ${type}` : type;
}

function tooShort(issue: Extract<Issue, { code: "too_small" }>, value: unknown): string {
  if (value === "") return "must not be empty";
  const unit = issue.origin === "string" ? "characters" : "entries";
  return issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} ${unit}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const text = withoutLogin(value);
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  }
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return "what it is";
}

function valueAt(input: unknown, path: SettingPath): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}
