// The configuration as a table for people: every setting with its type, default and variable, straight from the schema
// and the list of overrides. Pure.
import { ENV_OVERRIDES } from "./env.ts";
import { listSettings } from "./settings.ts";

export interface ReferenceRow {
  /** `http.port`; items of lists are `http.keys[].name`. */
  readonly path: string;
  readonly type: string;
  /** As it would be written; "" when there is none. */
  readonly default: string;
  /** Variables that override it. */
  readonly env?: string;
  readonly doc: string;
}

/** One row per setting, in the order of the schema. */
export function configReference(): ReferenceRow[] {
  return listSettings().map(({ path, type, defaultValue, required, doc }) => {
    const overrides = ENV_OVERRIDES.filter((override) => override.path.join(".") === path);
    const env = overrides.map((override) => override.env).join(", ");
    const notes = overrides.flatMap(({ env: name, doc: note }) => (note === "" ? [] : [`${name}: ${note}`]));
    return {
      path,
      type,
      default: required ? "required" : defaultText(defaultValue),
      ...(env === "" ? {} : { env }),
      doc: [doc, ...notes].join(" "),
    };
  });
}

/** The same as a Markdown table. */
export function configTable(): string {
  const rows = configReference().map((row) => [
    code(row.path),
    row.type,
    row.default === "required" || row.default === "" ? row.default : code(row.default),
    row.env === undefined ? "" : row.env.split(", ").map(code).join(", "),
    row.doc,
  ]);
  return markdownTable([["setting", "type", "default", "variable", "what it does"], ...rows]);
}

/** Columns aligned, as the formatter of this project writes tables: generated and formatted text must be the same. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const texts = rows.map((row) => row.map(cell));
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [header = "", ...body] = texts.map(line);
  return [header, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

/** A list of settings groups is shown by its ids: the rest of each group has defaults of its own. */
function defaultText(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.length === 0 ? "[]" : value.map(itemText).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function itemText(item: unknown): string {
  if (typeof item === "object" && item !== null && "id" in item) return String(item.id);
  return defaultText(item);
}

const code = (text: string) => `\`${text}\``;

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
