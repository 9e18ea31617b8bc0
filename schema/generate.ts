// Builds the texts of generated/ from the events and rollups. Pure: the files are written by scripts/gen.ts.
import type { Column } from "./columns.ts";
import type { EventDefinition } from "./define.ts";
import type { RollupDefinition } from "./define_rollup.ts";

/** `CREATE TABLE` statements of all events, as they are at the default retention. */
export function tablesSql(events: readonly EventDefinition[]): string {
  const statements = events.map((event) => `-- ${event.why}\n${event.createTableSql()};\n`);
  return `-- Generated from schema/events by \`npm run gen\`; do not edit.\n\n${statements.join("\n")}`;
}

/** `CREATE MATERIALIZED VIEW` statements of all rollups; their tables must be there. */
export function rollupsSql(rollups: readonly RollupDefinition[]): string {
  const statements = rollups.map((rollup) => `-- ${rollup.why}\n${rollup.createSql};\n`);
  return `-- Generated from schema/rollups.ts by \`npm run gen\`; do not edit.\n\n${statements.join("\n")}`;
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
export function columnsLibsonnet(
  events: readonly EventDefinition[],
  rollups: readonly RollupDefinition[] = [],
): string {
  const tables = events.map(({ name, keys, columns }) => jsonnetTable(name, keys, Object.keys(columns)));
  const views = rollups.map(({ name, keys, columns }) =>
    jsonnetTable(name, keys, [...keys, ...Object.keys(columns)]),
  );
  const all = [...tables, ...views].join("\n");
  return `// Generated from schema/events and schema/rollups.ts by \`npm run gen\`; do not edit.\n{\n${all}\n}\n`;
}

function jsonnetTable(name: string, keys: readonly string[], columns: readonly string[]): string {
  return [
    `  ${field(name)}: {`,
    `    _table: '${name}',`,
    `    _keys: [${["ts", ...keys].map((key) => `'${key}'`).join(", ")}],`,
    ...["ts", ...columns].map((column) => `    ${field(column)}: '${column}',`),
    "  },",
  ].join("\n");
}

function field(name: string): string {
  return JSONNET_KEYWORDS.has(name) ? `'${name}'` : name;
}

/** The tables for people: why each exists, when a row comes, its keys and retention, and every column. */
export function eventsMarkdown(
  events: readonly EventDefinition[],
  rollups: readonly RollupDefinition[] = [],
): string {
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
  const sections = [
    ...events.flatMap(eventSection),
    ...(rollups.length === 0 ? [] : rollupSections(rollups)),
  ];
  return `${[...intro, ...sections].join("\n")}\n`;
}

function rollupSections(rollups: readonly RollupDefinition[]): string[] {
  return [
    "",
    "## Rollups",
    "",
    "Materialized views that QuestDB refreshes once a minute, for panels over more than a day: a row per bucket of the step",
    "and combination of the keys, `ts` being the start of the bucket in UTC.",
    "",
    ...rollups.flatMap((rollup) => [
      "",
      `### ${rollup.name}`,
      "",
      `${rollup.why} From [${rollup.base}](#${rollup.base}), step ${rollup.step}; keys: ${["ts", ...rollup.keys].map((key) => `\`${key}\``).join(", ")}; kept ${rollup.ttl.value} ${rollup.ttl.unit.toLowerCase()}s.`,
      "",
      "| column | meaning |",
      "| --- | --- |",
      ...Object.entries(rollup.columns).map(([name, { doc }]) => `| \`${name}\` | ${doc} |`),
    ]),
  ];
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
