// Builds the texts of generated/ from the events. Pure: the files are written by scripts/gen.ts.
import type { Column } from "./columns.ts";
import type { EventDefinition } from "./define.ts";

/** `CREATE TABLE` statements of all events, as they are at the default retention. */
export function tablesSql(events: readonly EventDefinition[]): string {
  const statements = events.map((event) => `-- ${event.why}\n${event.createTableSql()};\n`);
  return `-- Generated from schema/events by \`npm run gen\`; do not edit.\n\n${statements.join("\n")}`;
}

const JSONNET_KEYWORDS = new Set(
  "assert else error false for function if import importbin importstr in local null self super tailstrict then true".split(
    " ",
  ),
);

/**
 * Names of tables and columns for Jsonnet, so that a query cannot name a column that does not exist:
 * `local t = import 'columns.libsonnet'; 'SELECT %s FROM %s' % [t.fetches.status, t.fetches._table]`.
 * `_table` and `_keys` (dedup keys, `ts` first) begin with an underscore because no column can; a column of one name
 * with a keyword is quoted and read as `t.x['error']`.
 */
export function columnsLibsonnet(events: readonly EventDefinition[]): string {
  const tables = events.map((event) => {
    const columns = ["ts", ...Object.keys(event.columns)].map((name) => `    ${field(name)}: '${name}',`);
    const keys = ["ts", ...event.keys].map((key) => `'${key}'`).join(", ");
    return [
      `  ${field(event.name)}: {`,
      `    _table: '${event.name}',`,
      `    _keys: [${keys}],`,
      ...columns,
      "  },",
    ].join("\n");
  });
  return `// Generated from schema/events by \`npm run gen\`; do not edit.\n{\n${tables.join("\n")}\n}\n`;
}

function field(name: string): string {
  return JSONNET_KEYWORDS.has(name) ? `'${name}'` : name;
}

/** The tables for people: why each exists, when a row comes, its keys and retention, and every column. */
export function eventsMarkdown(events: readonly EventDefinition[]): string {
  const intro = [
    "<!-- Generated from schema/events by `npm run gen`; do not edit. -->",
    "# Tables",
    "",
    "Every table has `ts`: the time of the event in UTC, assigned by the source; producers send integer microseconds",
    "since 1970 or ISO 8601 with a zone. A row with the same keys replaces the earlier one. Symbols use CCXT's unified",
    "form (`BTC/USDT:USDT`); rates are fractions, not percent.",
    "",
    "| table | why |",
    "| --- | --- |",
    ...events.map((event) => `| [${event.name}](#${event.name}) | ${event.why} |`),
  ];
  return `${[...intro, ...events.flatMap(eventSection)].join("\n")}\n`;
}

function eventSection(event: EventDefinition): string[] {
  const keys = ["ts", ...event.keys].map((key) => `\`${key}\``).join(", ");
  return [
    "",
    `## ${event.name}`,
    "",
    event.why,
    "",
    `- A row: ${event.sampling}.`,
    `- Keys: ${keys}.`,
    `- Kept: ${event.ttlDays} days, unless the configuration says otherwise.`,
    "",
    "| column | type | in the input | values | meaning |",
    "| --- | --- | --- | --- | --- |",
    "| `ts` | TIMESTAMP | required | | Time of the event. |",
    ...Object.entries(event.columns).map(([name, column]) => columnRow(name, column)),
  ];
}

const PRESENCE = {
  required: "required",
  optional: "optional",
  derived: "made from the row if absent",
} as const;

function columnRow(name: string, { type, presence, values, doc }: Column): string {
  const allowed = values === undefined ? "" : ` ${values.join(", ")}`;
  return `| \`${name}\` | ${type} | ${PRESENCE[presence]} |${allowed} | ${doc} |`;
}
