// Every alert rule on a migrated QuestDB: its query gives one number for each thing it watches, by the rules that
// Grafana has for them, and the rule's own comparison fires on what is broken and on nothing else.
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CatalogueRule, readCatalogue } from "../../ingest/alerting/catalogue.ts";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { shippedPath } from "../../ingest/package_root.ts";
import { migrate } from "../../ingest/questdb/migrate.ts";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { EVENTS } from "../../schema/registry.ts";
import { type FixtureRow, insertStatements } from "../support/alert_fixture_rows.ts";
import { ALERT_FIXTURES } from "../support/alert_fixtures.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { runbookSections } from "../support/runbook.ts";

const { rules } = readCatalogue();
const APPLY = { clock: systemClock(), timeoutMs: 20_000 };
const NEVER = new AbortController().signal;

let questdb: QuestdbInstance;
let sql: Sql;

beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
  sql = openSql(questdb.pg);
  await migrate(
    sql,
    EVENTS,
    {
      ttlDaysByTable: new Map(),
      migrationsDir: shippedPath("schema", "migrations"),
      log: createLog({ level: "silent", format: "json" }),
      clock: systemClock(),
    },
    NEVER,
  );
  const byTable = new Map<string, FixtureRow[]>();
  for (const { rows = {} } of Object.values(ALERT_FIXTURES))
    for (const [table, added] of Object.entries(rows))
      byTable.set(table, [...(byTable.get(table) ?? []), ...added]);
  const nowUs = Date.now() * 1000;
  for (const [table, rows] of byTable)
    for (const statement of insertStatements(table, rows, nowUs)) await sql.query(statement);
  for (const table of byTable.keys()) await waitUntilApplied(sql, table, APPLY);
});

afterAll(async () => {
  await sql.close();
  await questdb.remove();
});

type Labels = Readonly<Record<string, string>>;

interface Instance {
  readonly labels: Labels;
  readonly value: number;
}

/** Rows → instances as Grafana's threshold on a table makes them; throws for what it would refuse. */
function instancesOf(rows: readonly Readonly<Record<string, unknown>>[]): Instance[] {
  const seen = new Set<string>();
  return rows.map((row) => {
    const numbers = Object.entries(row).filter(([, value]) => typeof value === "number");
    const texts = Object.entries(row).filter(([, value]) => typeof value === "string");
    const [number] = numbers;
    if (number === undefined || numbers.length !== 1 || texts.length !== Object.keys(row).length - 1)
      throw new Error(`not one number and texts beside it: ${JSON.stringify(row)}`);
    const key = JSON.stringify(texts.toSorted());
    if (seen.has(key)) throw new Error(`two rows have the labels ${key}`);
    seen.add(key);
    return { labels: Object.fromEntries(texts) as Labels, value: Number(number[1]) };
  });
}

function fires({ op, at }: CatalogueRule, { value }: Instance): boolean {
  return op === "gt" ? value > at : value < at;
}

async function evaluate(rule: CatalogueRule): Promise<Instance[]> {
  return instancesOf(await sql.query(rule.sql));
}

const sorted = (all: readonly Labels[]) =>
  all.map((labels) => JSON.stringify(Object.entries(labels).toSorted())).toSorted();

/** Broken by other means than rows. */
const OTHERWISE = ["TableSuspended", "RollupInvalid", "QuestDBDown"];

test("every rule has a fixture or a test of its own", () => {
  expect(Object.keys(ALERT_FIXTURES).concat(OTHERWISE).toSorted()).toEqual(
    rules.map(({ name }) => name).toSorted(),
  );
});

test("what Grafana would refuse is refused here", () => {
  expect(() => instancesOf([{ exchange: "okx", a: 1, b: 2 }])).toThrow("not one number");
  expect(() => instancesOf([{ exchange: "okx", value: null }])).toThrow("not one number");
  expect(() => instancesOf([{ exchange: null, value: 1 }])).toThrow("not one number");
  expect(() => instancesOf([{ up: true, value: 1 }])).toThrow("not one number");
  expect(() =>
    instancesOf([
      { exchange: "okx", value: 1 },
      { exchange: "okx", value: 2 },
    ]),
  ).toThrow("two rows have the labels");
});

describe.each(rules.filter(({ name }) => name in ALERT_FIXTURES))("$name", (rule) => {
  const { healthy, firing } = ALERT_FIXTURES[rule.name] ?? { healthy: [], firing: [] };

  test("fires exactly on what is broken, and has a number for what is well", async () => {
    const instances = await evaluate(rule);
    const present = sorted(instances.map(({ labels }) => labels));
    for (const labels of sorted(healthy)) expect(present).toContain(labels);
    expect(healthy.length).toBeGreaterThan(0);
    expect(sorted(instances.filter((one) => fires(rule, one)).map(({ labels }) => labels))).toEqual(
      sorted(firing),
    );
  });

  test("its query returns columns of the types that Grafana makes labels and a number of", async () => {
    const url = `${questdb.http}/exec?query=${encodeURIComponent(rule.sql)}&limit=1`;
    const answer = (await (await fetch(url)).json()) as { columns: { name: string; type: string }[] };
    const types = answer.columns.map(({ type }) => type);
    expect(types.filter((type) => ["DOUBLE", "LONG", "INT"].includes(type))).toHaveLength(1);
    for (const type of types) expect(type).toMatch(/^(?:DOUBLE|LONG|INT|SYMBOL|STRING|VARCHAR)$/);
  });
});

describe("the runbook", () => {
  const runbook = readFileSync(join(import.meta.dirname, "../../docs/runbook.md"), "utf8");

  test.each(runbookSections(runbook))("the queries of $title run", async ({ queries }) => {
    for (const query of queries) await expect(sql.query(query), query).resolves.toBeDefined();
  });
});

describe("recovery", () => {
  test.each(rules.filter(({ back }) => back !== undefined))(
    "$name does not flicker: it ends further from the limit than it begins",
    ({ op, at, back = at }) => {
      expect(op === "gt" ? back < at : back > at).toBe(true);
    },
  );
});

describe("what rows cannot break", () => {
  const ruleOf = (name: string) => {
    const rule = rules.find((candidate) => candidate.name === name);
    if (rule === undefined) throw new Error(name);
    return rule;
  };

  test("RollupInvalid fires on a view whose base was truncated, and on no other", async () => {
    const rule = ruleOf("RollupInvalid");
    for (const name of ["roll_a", "roll_b"]) {
      await sql.query(`CREATE TABLE ${name} (ts TIMESTAMP, x LONG) TIMESTAMP(ts) PARTITION BY DAY WAL`);
      const query = `SELECT ts, sum(x) AS x FROM ${name} SAMPLE BY 1h`;
      await sql.query(`CREATE MATERIALIZED VIEW ${name}_1h AS (${query}) PARTITION BY MONTH`);
    }
    const firing = async () =>
      (await evaluate(rule)).filter((one) => fires(rule, one)).map(({ labels }) => labels["view"]);
    expect(await firing()).toEqual([]);
    await sql.query("TRUNCATE TABLE roll_b");
    await until("the view to be invalid", async () => ((await firing()).length > 0 ? true : undefined));
    expect(await firing()).toEqual(["roll_b_1h"]);
    expect((await evaluate(rule)).map(({ labels }) => labels["view"])).toContain("roll_a_1h");
  });

  test("QuestDBDown speaks up when queries fail, and no other rule does; TableSuspended knows the table", async ({
    skip,
  }) => {
    const down = ruleOf("QuestDBDown");
    const suspended = ruleOf("TableSuspended");
    expect((await evaluate(down)).some((one) => fires(down, one))).toBe(false);
    const before = await evaluate(suspended);
    expect(before.map(({ labels }) => labels["table"])).toContain("connections");
    expect(before.some((one) => fires(suspended, one))).toBe(false);
    expect(rules.filter(({ execError }) => execError !== "KeepLast").map(({ name }) => name)).toEqual([
      "QuestDBDown",
    ]);

    const [row] = await sql.query("SELECT \"directoryName\" dir FROM tables() WHERE table_name = 'signals'");
    await sql.query(insertStatements("signals", [signal(30)], Date.now() * 1000).join(";"));
    await waitUntilApplied(sql, "signals", APPLY);
    await questdb.stop();
    expect(down).toMatchObject({ execError: "Alerting", noData: "Alerting" });
    await expect(evaluate(down)).rejects.toMatchObject({ code: "DB_UNAVAILABLE" });

    skip(questdb.kind === "docker", "the files of a container cannot be damaged from here");
    const folder = join(questdb.root, "db", String(row?.["dir"]));
    const files = (await readdir(folder, { recursive: true })).filter((file) => /^20.*price\.d$/.test(file));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      await rm(join(folder, file));
      await mkdir(join(folder, file));
    }
    await questdb.start();
    await sql.query(insertStatements("signals", [signal(60)], Date.now() * 1000).join(";"));
    await until("the suspension", async () =>
      (await evaluate(suspended)).some((one) => fires(suspended, one)) ? true : undefined,
    );
    const firing = (await evaluate(suspended)).filter((one) => fires(suspended, one));
    expect(firing.map(({ labels }) => labels["table"])).toEqual(["signals"]);
  });
});

function signal(ago: number): FixtureRow {
  return {
    ...{ ago, strategy: "trend", exchange: "okx", symbol: "BTC/USDT:USDT", event_id: `e${ago}` },
    ...{ indicator: "rsi", signal: "buy", price: 1 },
  };
}
