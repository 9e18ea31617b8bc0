// A dashboard as a person sees it: opened in the browser, waited for until every panel is done, and read.
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { BrowserPage } from "./browser_page.ts";
import { QueryAnswer } from "./grafana_api.ts";

/** Counts the queries under way, in every document of the page. */
export const WATCH_SCRIPT = `(() => {
  const seen = { pending: 0, panels: new Set() };
  window.dashboardQueries = seen;
  const original = window.fetch;
  window.fetch = async (...args) => {
    const request = args[0];
    const url = String(request?.url ?? request);
    if (!url.includes("api/ds/query")) return original(...args);
    const headers = new Headers(args[1]?.headers ?? request?.headers ?? {});
    const panel = headers.get("x-panel-id");
    if (panel !== null) seen.panels.add(panel);
    seen.pending += 1;
    try {
      const response = await original(...args);
      await response.clone().arrayBuffer();
      return response;
    } finally {
      seen.pending -= 1;
    }
  };
})()`;

const PanelSeen = z.object({
  /** `panel-101`, or "" when it has none. */
  key: z.string(),
  title: z.string(),
  /** Its status icon says that a query failed. */
  failed: z.boolean(),
  text: z.string(),
});
export type PanelSeen = z.output<typeof PanelSeen>;

/** A query of a panel or a variable, as the page sent it. */
export interface SentQuery {
  readonly panelId: string | undefined;
  readonly refId: string;
  readonly sql: string;
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly rows: number;
}

export interface OpenOptions {
  readonly url: string;
  /** Ids of panels that must have sent their queries before anything counts as done. */
  readonly panelIds: readonly number[];
}

const SETTLE_MS = 400;
const LOAD_MS_MAX = 60_000;

/** Opens it in a fresh document; milliseconds from the navigation's start to the frame in which all panels are done. */
export async function openDashboard(page: BrowserPage, { url, panelIds }: OpenOptions): Promise<number> {
  page.forget();
  await page.goto(url);
  return await settled(page, panelIds, 0);
}

/** The same within the running application, as a click on a link does it. */
export async function moveToDashboard(page: BrowserPage, { url, panelIds }: OpenOptions): Promise<number> {
  page.forget();
  const path = JSON.stringify(new URL(url).pathname + new URL(url).search);
  const startMs = await page.evaluate(
    `(() => {
      window.dashboardQueries.panels.clear();
      const link = document.createElement("a");
      link.href = ${path};
      document.querySelector("#reactRoot").append(link);
      const startMs = performance.now();
      link.click();
      link.remove();
      return startMs;
    })()`,
    z.number(),
  );
  return await settled(page, panelIds, startMs);
}

/** Opens every collapsed row and waits for the panels in it. */
export async function expandRows(page: BrowserPage, panelIds: readonly number[]): Promise<void> {
  await page.evaluate(
    `[...document.querySelectorAll('[aria-label="Expand row"]')].forEach((button) => button.click())`,
    z.unknown(),
  );
  await settled(page, panelIds, 0);
}

async function settled(page: BrowserPage, panelIds: readonly number[], startMs: number): Promise<number> {
  const deadlineMs = performance.now() + LOAD_MS_MAX;
  const expression = `new Promise((resolve) => {
    const needed = ${JSON.stringify(panelIds.map(String))};
    let doneMs;
    const untilMs = performance.now() + 5000;
    const look = () => {
      const { pending, panels } = window.dashboardQueries ?? { pending: 1, panels: new Set() };
      const missing = needed.filter((id) => !panels.has(id));
      const busy = pending > 0 || missing.length > 0 || document.querySelector('[aria-label="Panel loading bar"]') !== null;
      if (busy) doneMs = undefined;
      else doneMs ??= performance.now();
      if (doneMs !== undefined && performance.now() - doneMs > ${SETTLE_MS}) resolve({ doneMs, missing });
      else if (performance.now() > untilMs) resolve({ doneMs: null, missing, pending });
      else requestAnimationFrame(look);
    };
    look();
  })`;
  const Answer = z.object({
    doneMs: z.number().nullable(),
    missing: z.array(z.string()),
    pending: z.number().optional(),
  });
  for (;;) {
    // A document that is replaced meanwhile takes the question with it.
    const answer = await page.evaluate(expression, Answer).catch(() => undefined);
    if (answer?.doneMs != null) return answer.doneMs - startMs;
    if (performance.now() > deadlineMs)
      throw new Error(
        `the dashboard was not done after ${LOAD_MS_MAX} ms; panels without a query: ${answer?.missing.join(", ")}; queries under way: ${answer?.pending}`,
      );
    await delay(20);
  }
}

/** All panels that the page shows. */
export async function panelsOf(page: BrowserPage): Promise<PanelSeen[]> {
  return await page.evaluate(
    `[...document.querySelectorAll("[data-viz-panel-key]")].map((element) => ({
      key: element.getAttribute("data-viz-panel-key") ?? "",
      title: element.querySelector("h2, h6")?.textContent ?? "",
      failed: element.querySelector('[aria-label="Panel status"]') !== null,
      text: element.innerText,
    }))`,
    z.array(PanelSeen),
  );
}

/** Every query that the page has sent since it was opened, with its outcome. */
export async function queriesOf(page: BrowserPage): Promise<SentQuery[]> {
  const sent: SentQuery[] = [];
  // What the page called off itself, because it asks again, has no answer.
  const asked = page.exchanges.filter(
    ({ url, failure }) => url.includes("api/ds/query") && failure !== "net::ERR_ABORTED",
  );
  for (const exchange of asked) {
    const { queries } = Asked.parse(JSON.parse(exchange.requestBody ?? "{}"));
    const body = await page.bodyOf(exchange);
    const answer = QueryAnswer.safeParse(parsed(body));
    for (const { refId, rawSql } of queries) {
      const result = answer.success ? answer.data.results[refId] : undefined;
      const without =
        exchange.failure ??
        (answer.success ? "no result" : `no answer that can be read: ${body?.slice(0, 300)}`);
      sent.push({
        panelId: exchange.headers["x-panel-id"],
        ...{ refId, sql: rawSql, status: exchange.status },
        error: result === undefined ? without : result.error,
        rows: Math.max(0, ...(result?.frames ?? []).map(({ data }) => data.values[0]?.length ?? 0)),
      });
    }
  }
  return sent;
}

const Asked = z.object({
  queries: z.array(z.object({ refId: z.string(), rawSql: z.string().default("") })).default([]),
});

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
