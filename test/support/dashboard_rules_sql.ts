// Rules about the SQL of panels, variables and annotations: what the data source gets wrong, what breaks on a long range, what
// ignores the viewer's range or choice.
import type { Dashboard, Panel, Target } from "../../bench/panels/dashboard_file.ts";
import { referencesIn } from "../../bench/panels/variables.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import type { BoardRule, PanelRule, Rules } from "./dashboard_lint.ts";
import { bareSql, tablesIn } from "./dashboard_sql.ts";

const TIME_MACRO = /\$__(?:timeFilter|fromTime|toTime|timeFrom|timeTo|from|to)\b/;
const BUILT_IN = ["__from", "__to", "__interval_ms", "__range", "__range_s", "__range_ms"];
const MACROS = ["__timeFilter", "__fromTime", "__toTime", "__timeFrom", "__timeTo", "__sampleByInterval"];
const BANNED: Readonly<Record<string, string>> = {
  __interval:
    "use $__sampleByInterval: Grafana puts 10ms or 1m there, and QuestDB reads neither as you mean it",
  __timeGroup: "use SAMPLE BY $__sampleByInterval: this macro speaks another database's SQL",
  __timezone: 'remove it: it may be "browser", which no database knows',
  __conditionalAll: "write IN (${name:sqlstring}): this one breaks at commas and in repeated panels",
};

export const SQL_RULES = {
  "known macros": (panel, dashboard) => eachSql(panel, (sql) => macroMistakes(sql, dashboard)),
  "quoted variables": (panel, dashboard) => eachSql(panel, (sql) => quotingMistakes(sql, dashboard)),
  "no star": (panel) =>
    eachSql(panel, (sql) =>
      /\bSELECT\s+(?:DISTINCT\s+)?(?:\w+\.)?\*/i.test(bareSql(sql))
        ? ["SELECT * breaks when a column comes: name them"]
        : [],
    ),
  "one statement": (panel) =>
    eachSql(panel, (sql) =>
      /;|--|\/\*/.test(sql.replaceAll(/'(?:[^']|'')*'/g, "''"))
        ? ["no semicolons and no comments: macros are expanded in them too"]
        : [],
    ),
  limit: (panel) =>
    ["table", "logs"].includes(panel.type)
      ? eachSql(panel, (sql) =>
          /\bLIMIT\s+-?\d+/i.test(bareSql(sql)) ? [] : ["a table needs a LIMIT: nothing else ends it"],
        )
      : [],
  "rising time": (panel) =>
    eachSql(panel, (sql, { format }) =>
      format === 0 && /\bORDER\s+BY\s+\w+\s+DESC\s*(?:LIMIT\s+-?\d+\s*)?$/i.test(bareSql(sql))
        ? ["a time series must come in rising order: remove DESC"]
        : [],
    ),
  "follows the range": (panel) =>
    eachSql(panel, (sql, { format }) => {
      if (TIME_MACRO.test(sql)) return [];
      if (format === 0) return ["it ignores the dashboard's range: filter by $__timeFilter(ts)"];
      return /\bLATEST\s+ON\b/i.test(bareSql(sql))
        ? []
        : ["it reads the whole table: filter by $__timeFilter(ts), or take LATEST ON"];
    }),
  "rollup for long ranges": (panel) =>
    eachSql(panel, (sql) => {
      const bare = bareSql(sql);
      // The newest rows are found without reading the others.
      if (!TIME_MACRO.test(sql) || /\bLIMIT\b|\bLATEST\s+ON\b/i.test(bare)) return [];
      const tables = tablesIn(sql);
      return tables.flatMap((table) => {
        const rollups = ROLLUPS.filter(({ base }) => base === table).map(({ name }) => name);
        return rollups.length === 0 || rollups.some((name) => tables.includes(name))
          ? []
          : [`it reads every row of ${table} at any range: beyond 24 h read ${rollups.join(" or ")}`];
      });
    }),
} satisfies Rules<PanelRule>;

export const QUERY_RULES = {
  "macros of annotations and variables": (dashboard) => [
    ...dashboard.annotations.flatMap(({ name, target }) =>
      inEach(`annotation "${name}"`, target?.rawSql, (sql) => [
        ...macroMistakes(sql, dashboard),
        ...quotingMistakes(sql, dashboard),
        ...(TIME_MACRO.test(sql) ? [] : ["it reads the whole table: filter by $__timeFilter(ts)"]),
      ]),
    ),
    ...dashboard.variables.flatMap(({ name, query }) =>
      inEach(`variable ${name}`, typeof query === "string" ? query : String(query?.["rawSql"]), (sql) => [
        ...macroMistakes(sql, dashboard),
        ...quotingMistakes(sql, dashboard),
      ]),
    ),
  ],
} satisfies Rules<BoardRule>;

function eachSql(panel: Panel, find: (sql: string, target: Target) => readonly string[]): string[] {
  return panel.targets.flatMap((target) =>
    inEach(`target ${target.refId}`, target.rawSql, (sql) => find(sql, target)),
  );
}

function inEach(where: string, sql: string | undefined, find: (sql: string) => readonly string[]): string[] {
  return sql === undefined ? [] : find(sql).map((line) => `${where}: ${line}`);
}

function macroMistakes(sql: string, { variables }: Dashboard): string[] {
  const known = new Set([...BUILT_IN, ...MACROS, ...variables.map(({ name }) => name)]);
  return referencesIn(sql)
    .filter(({ name }) => !known.has(name))
    .map(({ text, name }) => `${text}: ${BANNED[name] ?? "no variable and no macro has this name"}`);
}

function quotingMistakes(sql: string, { variables }: Dashboard): string[] {
  const names = new Set(variables.map(({ name }) => name));
  return referencesIn(sql)
    .filter(({ name, format }) => names.has(name) && format !== "sqlstring")
    .map(({ text, name }) => `${text}: write \${${name}:sqlstring}, which quotes and escapes`);
}
