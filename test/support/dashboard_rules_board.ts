// Rules about a dashboard as a whole: its name, range, look, places of its panels, variables, annotations, and the links that
// lead from one dashboard to the next.
import type { Dashboard, Panel, Variable } from "../../bench/panels/dashboard_file.ts";
import { panelName } from "../../bench/panels/dashboard_file.ts";
import { referencesIn } from "../../bench/panels/variables.ts";
import type { BoardRule, Rules, SetRule } from "./dashboard_lint.ts";

const TAGS = ["tickwatch", "generated"];
const PREFIX = "tickwatch";
const COLUMNS = 24;
/** The panels of the first screen, which a person reads in five seconds. */
const OVERVIEW_KINDS = ["stat", "gauge", "bargauge", "state-timeline"];
/** Events that explain a curve. */
const EVENTS_ON_CURVES = ["Connections", "Restarts", "Deploys"];
const REFRESH_S_MIN = 5;
const DESCRIPTION_MIN = 30;
/** What Grafana puts into a link for the chosen range and the chosen values; switches of the dashboard's links do the same. */
const RANGE = "${__url_time_range}";
const VARIABLES = "${__all_variables}";

export const BOARD_RULES = {
  title: ({ json: { title } }) =>
    /^tickwatch \/ \S/.test(title) ? [] : [`the title is "${title}": write "tickwatch / Subject"`],
  description: ({ json: { description } }) =>
    description.length >= DESCRIPTION_MIN ? [] : ["say in the description which question it answers"],
  uid: ({ name, json: { uid } }) =>
    uid === `${PREFIX}-${name}` && uid.length <= 40
      ? []
      : [`the uid is "${uid}": links and alerts need ${PREFIX}-${name}, 40 characters at most`],
  tags: ({ json: { tags } }) =>
    TAGS.filter((tag) => !tags.includes(tag)).map((tag) => `add the tag "${tag}"`),
  readonly: ({ json }) => [
    ...(json["editable"] === false ? [] : ["set editable to false: what is changed in Grafana is lost"]),
    ...(json["id"] === undefined || json["id"] === null ? [] : ["remove the id: Grafana gives its own"]),
    ...(json["schemaVersion"] === 39 ? [] : ["set schemaVersion to 39, which Grafana 12.3 and 13 load"]),
  ],
  range: ({ json: { time, timezone } }) => [
    ...(time !== undefined && /^now-\d+[mhd]$/.test(time.from) && time.to === "now"
      ? []
      : [`the range is ${JSON.stringify(time)}: write from now-6h (or the like) to now`]),
    ...(timezone === ""
      ? []
      : [
          `timezone is ${JSON.stringify(timezone)}: leave it "", so that the server's UTC holds until the viewer chooses`,
        ]),
  ],
  refresh: ({ json: { refresh } }) => {
    const [, amount, unit] = /^(\d+)([smh])$/.exec(String(refresh)) ?? [];
    if (amount === undefined) return [`refresh is ${JSON.stringify(refresh)}: write 10s, 30s, 1m or 5m`];
    return unit === "s" && Number(amount) < REFRESH_S_MIN
      ? [`Grafana refreshes every 5 s at most, not ${refresh}`]
      : [];
  },
  crosshair: ({ json }) => (json["graphTooltip"] === 1 ? [] : ["set graphTooltip to 1 (shared crosshair)"]),
  ids: ({ panels, rows }) => {
    const ids = [...panels, ...rows].map(({ id }) => id);
    return [
      ...ids.filter((id) => !Number.isInteger(id) || Number(id) < 1).map((id) => `${id} is no panel id`),
      ...repeated(ids).map((id) => `two panels have the id ${id}: alerts link by it`),
      ...repeated(panels.map(({ title }) => title)).map((title) => `two panels are called "${title}"`),
    ];
  },
  grid: (dashboard) => gridMistakes(dashboard),
  overview: ({ json: { panels } }) => {
    const first = panels.filter(({ gridPos }) => gridPos?.y === 0);
    const others = first.filter(({ type }) => !OVERVIEW_KINDS.includes(type)).map(({ type }) => type);
    if (first.length >= 3 && others.length === 0) return [];
    return [
      `the first line has ${first.length} panels${others.length > 0 ? ` (${others.join(", ")})` : ""}: begin with at least three of ${OVERVIEW_KINDS.join(", ")}, without a header`,
    ];
  },
  variables: ({ variables }) => variables.flatMap(variableMistakes),
  used: ({ name, variables, ...dashboard }) => {
    const text = JSON.stringify([
      dashboard.panels,
      dashboard.annotations,
      variables.map(({ query }) => query),
    ]);
    const used = new Set(referencesIn(text).map((reference) => reference.name));
    return variables
      .filter((variable) => !used.has(variable.name))
      .map((variable) => `nothing uses the variable ${variable.name}: filter by it or remove it`);
  },
  annotations: ({ annotations }) => [
    ...(annotations.some(({ builtIn }) => builtIn === 1)
      ? []
      : ['keep Grafana\'s own annotation entry ("Annotations & Alerts", builtIn 1), which shows alerts']),
    ...annotations
      .filter(({ builtIn }) => builtIn !== 1)
      .filter(
        ({ target }) => target?.rawSql === undefined || target.format !== 1 || target.selectedFormat !== 1,
      )
      .map(
        ({ name }) =>
          `annotation "${name}" needs a target with rawSql and format 1: strings become labels otherwise`,
      ),
  ],
  dropdown: ({ json: { links } }) => {
    const all = links.find((link) => link["type"] === "dashboards" && hasOurTag(link["tags"]));
    if (all === undefined)
      return [
        `add a link of type "dashboards" with the tag "${PREFIX}", so that every dashboard is a click away`,
      ];
    return ["keepTime", "includeVars"]
      .filter((key) => all[key] !== true)
      .map((key) => `the link "${all["title"]}" needs ${key}`);
  },
} satisfies Rules<BoardRule>;

export const SET_RULES = {
  "unique uids": (dashboards) =>
    repeated(dashboards.map(({ json }) => json.uid)).map((uid) => {
      const names = dashboards.filter(({ json }) => json.uid === uid).map(({ name }) => name);
      return `${names.join(" and ")} have the uid ${uid}: give each its own`;
    }),
  "same variables": (dashboards) => {
    const first = new Map<string, { readonly text: string; readonly where: string }>();
    return dashboards.flatMap(({ name, variables }) =>
      variables.flatMap((variable) => {
        const text = JSON.stringify({ ...variable, current: undefined });
        const known = first.get(variable.name) ?? { text, where: name };
        first.set(variable.name, known);
        return known.text === text
          ? []
          : [
              `${name}: the variable ${variable.name} differs from the one of ${known.where}: take it from lib/`,
            ];
      }),
    );
  },
  "links lead somewhere": (dashboards) => {
    const uids = new Set(dashboards.map(({ json }) => json.uid));
    return dashboards.flatMap((dashboard) =>
      urlsOf(dashboard).flatMap(({ where, url }) => {
        const uid = /^\/d\/([\w-]+)/.exec(url)?.[1];
        if (uid === undefined)
          return /^https?:\/\//.test(url) ? [] : [`${where}: the link ${url} leads nowhere: write /d/<uid>…`];
        return [
          ...(uids.has(uid) ? [] : [`${where}: the link ${url} leads to no dashboard of ours`]),
          ...Object.entries({ [RANGE]: "from=", [VARIABLES]: "var-" })
            .filter(([kept, said]) => !url.includes(kept) && !url.includes(said))
            .map(([kept]) => `${where}: the link ${url} drops what the viewer chose: add ${kept}`),
        ];
      }),
    );
  },
  "events on curves": (dashboards) => {
    const marked = (names: readonly string[]) => EVENTS_ON_CURVES.filter((name) => !names.includes(name));
    const all = dashboards.flatMap(({ annotations }) => annotations.map(({ name }) => name));
    return [
      ...marked(all).map((name) => `no dashboard marks "${name}": take the annotation from lib/`),
      ...dashboards
        .filter(
          ({ annotations }) => marked(annotations.map(({ name }) => name)).length === EVENTS_ON_CURVES.length,
        )
        .map(({ name }) => `${name}: it marks no events: take annotations from lib/ that explain its curves`),
    ];
  },
  reachable: (dashboards) =>
    dashboards
      .filter(
        (dashboard) =>
          !dashboards.some(
            (other) =>
              other !== dashboard &&
              other.json.links.some(
                (link) =>
                  link["type"] === "dashboards" &&
                  tagsOf(link["tags"]).every((tag) => dashboard.json.tags.includes(tag)),
              ),
          ),
      )
      .map(({ name }) => `${name}: no other dashboard links to it: give it the tags of the others' link`),
} satisfies Rules<SetRule>;

function variableMistakes(variable: Variable): string[] {
  const wanted: Readonly<Record<string, unknown>> = { type: "query", multi: true, includeAll: true, sort: 1 };
  const current = variable.current?.value;
  const text = typeof variable.query === "string" ? variable.query : variable.query?.["rawSql"];
  const wrong = [
    ...Object.entries(wanted)
      .filter(([key, value]) => variable[key] !== value)
      .map(([key, value]) => `needs ${key}: ${JSON.stringify(value)}`),
    ...([1, 2].includes(Number(variable["refresh"]))
      ? []
      : ["needs refresh 1 (on load) or 2 (on a new range)"]),
    ...(variable.label ? [] : ["needs a label"]),
    ...(variable["allValue"] === undefined || variable["allValue"] === null
      ? []
      : ["must have no allValue: All is the list itself"]),
    ...(String(Array.isArray(current) ? current[0] : current) === "$__all" ? [] : ["must begin with All"]),
    ...(variable.datasource?.uid === "questdb" ? [] : ["must ask the data source questdb"]),
    ...(typeof text === "string" && /^\s*(?:SELECT|WITH)\b/i.test(text) ? [] : ["has no SQL as its query"]),
  ];
  return wrong.map((what) => `variable ${variable.name} ${what}`);
}

function gridMistakes({ json: { panels }, ...dashboard }: Dashboard): string[] {
  const board = { ...dashboard, json: { panels } };
  const name = (panel: Panel) => `panel ${panel.id} "${panel.title}"`;
  // What is folded into a row has places of its own, which hold when the row is open.
  const screens = [panels, ...panels.filter((panel) => panel.panels.length > 0).map((panel) => panel.panels)];
  return screens.flatMap((screen: readonly Panel[]) => [
    ...screen.flatMap((panel) => {
      const { gridPos } = panel;
      if (gridPos === undefined) return [`${name(panel)} has no place (gridPos)`];
      const { x, y, w, h } = gridPos;
      const whole = [x, y, w, h].every(Number.isInteger) && x >= 0 && y >= 0;
      if (!whole || w < 2 || x + w > COLUMNS)
        return [`${name(panel)} does not fit into 24 columns: ${JSON.stringify(gridPos)}`];
      return h < 2 && panel.type !== "row" ? [`${name(panel)} is too low to be read`] : [];
    }),
    ...screen.flatMap((a, i) =>
      screen
        .slice(i + 1)
        .filter((b) => overlap(a, b))
        .map((b) => `${name(a)} and ${name(b)} overlap: move one`),
    ),
    ...(board.json.panels.length > 0 ? [] : ["it has no panels"]),
  ]);
}

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  if (a === undefined || b === undefined) return false;
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Addresses that panels, their data and dashboards link to. */
function urlsOf(dashboard: Dashboard): { readonly where: string; readonly url: string }[] {
  const urls = (where: string, value: unknown): { where: string; url: string }[] => {
    if (Array.isArray(value)) return value.flatMap((item) => urls(where, item));
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, item]) =>
      key === "url" && typeof item === "string" && item !== "" ? [{ where, url: item }] : urls(where, item),
    );
  };
  return [
    ...dashboard.panels.flatMap((panel) =>
      urls(panelName(dashboard, panel), [panel.links, panel.fieldConfig, panel.options]),
    ),
    ...dashboard.json.links.flatMap((link) =>
      urls(dashboard.name, link).map(({ where, url }) => ({
        where,
        url: [url, ...(link["keepTime"] ? [RANGE] : []), ...(link["includeVars"] ? [VARIABLES] : [])].join(
          "&",
        ),
      })),
    ),
  ];
}

function repeated<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

function hasOurTag(tags: unknown): boolean {
  return tagsOf(tags).includes(PREFIX);
}

function tagsOf(tags: unknown): string[] {
  return Array.isArray(tags) ? tags.map(String) : [];
}
