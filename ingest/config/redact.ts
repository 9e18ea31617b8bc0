// A copy of the configuration that may be shown: what the schema marks as secret, and user and password inside an
// address, become "***". Pure.
import { pathText, type SettingPath } from "./mistake.ts";
import type { Config } from "./schema.ts";
import { listSettings, settingOf } from "./settings.ts";

export const HIDDEN = "***";

/** The configuration without secrets, for printing and logging; absent secrets stay absent. */
export function redact(config: Config): unknown {
  const secrets = new Set(listSettings().flatMap((setting) => (setting.secret ? [setting.path] : [])));

  function copy(value: unknown, path: SettingPath): unknown {
    if (value !== undefined && secrets.has(settingOf(pathText(path)))) return HIDDEN;
    if (typeof value === "string") return withoutLogin(value);
    if (Array.isArray(value)) return value.map((item: unknown, i) => copy(item, [...path, i]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item, [...path, key])]));
  }

  return copy(config, []);
}

/** `http://user:password@host` → `http://***@host`, wherever it stands in the text. */
export function withoutLogin(text: string): string {
  return text.replaceAll(/\/\/[^/\s]*@/g, `//${HIDDEN}@`);
}
