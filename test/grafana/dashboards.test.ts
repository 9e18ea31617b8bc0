// Protects what a person sees: every dashboard loads in a browser without a complaint, each of its queries is answered,
// its variables fill, and the pictures of the documentation are of the real thing. TEST_GRAFANA_PICTURES names a folder for
// pictures of the light theme and of a phone as well.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/questdb_until.ts";
import type { BrowserPage } from "./browser_page.ts";
import { type Chromium, startChromium } from "./chromium.ts";
import { type ShownDashboard, shownDashboards } from "./dashboard_files.ts";
import { expandRows, openDashboard, panelsOf, queriesOf, WATCH_SCRIPT } from "./dashboard_view.ts";
import { type DemoStack, startDemoStack } from "./demo_stack.ts";
import { findEquipment } from "./installation.ts";
import { smallPng } from "./small_png.ts";

const PICTURES = fileURLToPath(new URL("../../docs/img/", import.meta.url));
const MORE_PICTURES = process.env["TEST_GRAFANA_PICTURES"];
/** The demo has something to show for every panel by then. */
const DEMO_MS = 180_000;
const WIDTH = 1_600;
const RANGE = "from=now-15m&to=now&timezone=utc";

const dashboards = shownDashboards();
let stack: DemoStack;
let chromium: Chromium;

beforeAll(async () => {
  const equipment = await findEquipment();
  stack = await startDemoStack(equipment.grafana, "2s");
  chromium = await startChromium(equipment.chromium);
  await until(
    "the demo to have run for a while",
    async () => {
      const [row] = await stack.sql.query<{ ran: number }>(
        "SELECT datediff('T', min(ts), now()) AS ran FROM daemon_health WHERE daemon = 'tickwatch'",
      );
      return (row?.ran ?? 0) > DEMO_MS;
    },
    DEMO_MS * 2,
  );
}, DEMO_MS * 3);
afterAll(async () => {
  await chromium?.stop();
  await stack?.stop();
});

test("Grafana has every dashboard, in the folder of its file", async () => {
  const found = await stack.grafana.api.dashboards();
  const listed = found.map(({ uid, title, folderTitle }) => ({ uid, title, folderTitle }));
  expect(listed).toEqual(
    expect.arrayContaining(dashboards.map(({ uid, title }) => ({ uid, title, folderTitle: "tickwatch" }))),
  );
  expect(listed).toHaveLength(dashboards.length);
});

describe.each(dashboards)("the dashboard $title", (dashboard) => {
  test("loads without a complaint, with an answer to every query of every panel", async () => {
    const page = await openPage(dashboard.heightPx);
    await openDashboard(page, { url: urlOf(dashboard), panelIds: dashboard.open.map(({ id }) => id) });
    const all = [...dashboard.open, ...dashboard.folded];
    await expandRows(
      page,
      all.map(({ id }) => id),
    );
    const queries = await queriesOf(page);
    expect(queries.filter(({ error, status }) => error !== undefined || status !== 200)).toEqual([]);
    const answered = new Set(queries.map(({ panelId, refId }) => `${panelId} ${refId}`));
    const wanted = all.flatMap(({ id, refIds }) => refIds.map((refId) => `${id} ${refId}`));
    expect(wanted.filter((target) => !answered.has(target))).toEqual([]);
    const failed = (await panelsOf(page)).filter((panel) => panel.failed);
    expect(failed.map(({ key, title }) => `${key} ${title}`)).toEqual([]);
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  test("has something to choose in every variable", async () => {
    const { api } = stack.grafana;
    for (const [name, rawSql] of dashboard.variables) {
      const datasource = { type: "questdb-questdb-datasource", uid: "questdb" };
      const target = { refId: "A", datasource, queryType: "sql", format: 1, rawSql };
      const { results } = await api.query({ from: "now-15m", to: "now", queries: [target] });
      expect(results["A"]?.error, name).toBeUndefined();
      const [values = []] = results["A"]?.frames?.[0]?.data.values ?? [];
      expect(values.length, `values of ${name}`).toBeGreaterThan(0);
      expect(values, name).not.toContain("(none yet)");
    }
  });

  test("is in the picture", async () => {
    const name = dashboard.uid.replace(/^tickwatch-/, "");
    await mkdir(PICTURES, { recursive: true });
    await writeFile(join(PICTURES, `${name}.png`), await picture(dashboard, "dark", WIDTH));
    if (MORE_PICTURES === undefined) return;
    await mkdir(MORE_PICTURES, { recursive: true });
    for (const [kind, theme, width] of [
      ["light", "light", WIDTH],
      ["phone", "dark", 390],
    ] as const) {
      await writeFile(join(MORE_PICTURES, `${name}-${kind}.png`), await picture(dashboard, theme, width));
    }
  });
});

async function picture(dashboard: ShownDashboard, theme: string, width: number): Promise<Buffer> {
  const isPhone = width < 768;
  const page = await openPage(isPhone ? dashboard.heightPx * 3 : dashboard.heightPx, width);
  const url = `${urlOf(dashboard)}&theme=${theme}&kiosk`;
  await openDashboard(page, { url, panelIds: dashboard.open.map(({ id }) => id) });
  const png = await page.screenshot();
  await page.close();
  return smallPng(png);
}

async function openPage(height: number, width = WIDTH): Promise<BrowserPage> {
  const { cookies } = stack.grafana.api;
  return await chromium.open({ width, height, mobile: width < 768, cookies, script: WATCH_SCRIPT });
}

function urlOf({ uid }: ShownDashboard): string {
  return `${stack.grafana.url}/d/${uid}?${RANGE}`;
}
