// `${VAR}` in values: secrets and addresses come from the environment without being written down. Pure.
import { type Mistake, pathText, type SettingPath } from "./mistake.ts";
import { listSettings } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substituted {
  readonly value: unknown;
  /** Paths of the values that changed → the variables they hold. */
  readonly variables: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

const REFERENCE = /\$(\$?)\{([^}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Replaces every `${VAR}` inside string values; `$${` stands for a literal `${`. A variable that is not set is a
 * mistake, an empty one is not. Where a number is due the text is converted.
 */
export function substitute(value: unknown, env: Environment): Substituted {
  const variables = new Map<string, string>();
  const mistakes: Mistake[] = [];
  const numeric = new Set(listSettings().flatMap((setting) => (setting.numeric ? [setting.path] : [])));

  function text(raw: string, path: string): string | number {
    const names: string[] = [];
    const replaced = raw.replaceAll(REFERENCE, (whole, escaped: string, name: string) => {
      if (escaped !== "") return `\${${name}}`;
      const found = NAME.test(name) ? env[name] : undefined;
      if (found !== undefined) names.push(name);
      else mistakes.push({ path, message: unresolved(whole, name) });
      return found ?? whole;
    });
    if (names.length === 0) return replaced;
    variables.set(path, names.join(", "));
    return numeric.has(path) && NUMBER.test(replaced) ? Number(replaced) : replaced;
  }

  function walk(node: unknown, path: SettingPath): unknown {
    if (typeof node === "string") return text(node, pathText(path));
    if (Array.isArray(node)) return node.map((item: unknown, i) => walk(item, [...path, i]));
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, [...path, key])]));
  }

  return { value: walk(value, []), variables, mistakes };
}

function unresolved(whole: string, name: string): string {
  if (!NAME.test(name)) return `${whole} is not the name of a variable; write $\${ for a literal \${`;
  return `the environment variable ${name} is not set; set it or write $\${${name}} for the text itself`;
}
