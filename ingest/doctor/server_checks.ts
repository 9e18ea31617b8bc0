// A QuestDB that answers: what it says about its machine, its settings and its clock. Reads only.
import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { RunningQuestdb } from "../questdb/running.ts";
import { serverSettings } from "../questdb/server_settings.ts";
import type { Sql } from "../questdb/sql.ts";
import { type Check, type Finding, failure, ok, warning } from "./check.ts";
import { httpText } from "./http_text.ts";

const Warnings = z.array(z.object({ tag: z.string().optional(), warning: z.string() }));

/** What the server itself finds too low on its machine (`GET /warnings`). */
export function serverLimitsCheck(server: RunningQuestdb): Check {
  return {
    name: "questdb limits",
    async run(signal) {
      const { status, body } = await httpText(`${server.http}/warnings`, server.httpAuthorization, signal);
      if (status !== 200) return warning(`/warnings answered ${status}`, "look at the server's log");
      const warnings = Warnings.parse(JSON.parse(body));
      if (warnings.length === 0) return ok("QuestDB has no complaint about its machine");
      return warning(
        warnings.map((w) => w.warning).join("\n"),
        "raise them on QuestDB's machine (sysctl, ulimit -n), then restart QuestDB",
      );
    },
  };
}

interface Advice {
  readonly settings: RegExp;
  readonly why: string;
}

/** Settings of ours that a server of somebody else gains from, most important first. */
const ADVICE: readonly Advice[] = [
  { settings: /^cairo\.ttl\.use\.wall\.clock$/, why: "one row dated in the future can expire today's rows" },
  {
    settings: /^line\.auto\.create\.new\.(tables|columns)$/,
    why: "a typo of any other writer makes a table or column, with the wrong types and kept for ever",
  },
  {
    settings: /\.worker\.(yield|nap|sleep)\.threshold$/,
    why: "idle workers spin: a half to three quarters of QuestDB's CPU on a small machine",
  },
  {
    settings: /^cairo\.(writer\.data\.append\.page|o3\.column\.memory)\.size$/,
    why: "every column of an active partition takes 16 MB of disk, and memory besides",
  },
];

const ParameterRow = z.object({ property_path: z.string(), value: z.string().nullable() });

/** Compares `SHOW PARAMETERS` with what a QuestDB started by us gets. */
export function serverSettingsCheck(server: RunningQuestdb, sql: Sql): Check {
  return {
    name: "questdb settings",
    async run(signal) {
      const rows = await sql.select(ParameterRow, "SHOW PARAMETERS", [], signal);
      return settingsFinding(
        new Map(rows.map((row) => [row.property_path, row.value ?? ""])),
        server.version,
      );
    },
  };
}

/** `live`: value by property. A property that the server does not have is passed over. */
export function settingsFinding(live: ReadonlyMap<string, string>, version: string): Finding {
  const closed = ["readonly", "http.security.readonly"].filter((name) => live.get(name) === "true");
  if (closed.length > 0)
    return failure(
      `QuestDB takes no rows: ${closed.join(" and ")} is true`,
      "set it to false in server.conf and restart QuestDB",
    );
  const wanted = wantedSettings(version);
  const lines: string[] = [];
  const remedies: string[] = [];
  for (const { settings, why } of ADVICE) {
    const others = [...wanted].filter(
      ([name, value]) => settings.test(name) && differs(name, value, live.get(name)),
    );
    if (others.length === 0) continue;
    lines.push(`${others.length === 1 ? others[0]?.[0] : `${others.length} settings`}: ${why}`);
    remedies.push(...others.map(([name, value]) => `${name}=${value}`));
  }
  if (lines.length === 0) return ok("as tickwatch would set them");
  return warning(lines.join("\n"), ["put into server.conf and restart QuestDB:", ...remedies].join("\n"));
}

function wantedSettings(version: string): ReadonlyMap<string, string> {
  const nobody = { user: "", password: "", readonlyUser: "", readonlyPassword: "" };
  return serverSettings({
    ...{ bindHost: "127.0.0.1", httpPort: 0, minHttpPort: 0, pgPort: 0 },
    ...{ version, credentials: nobody },
  });
}

/** A threshold or size below ours is as good. */
function differs(name: string, wanted: string, live: string | undefined): boolean {
  if (live === undefined) return false;
  if (/(threshold|size)$/.test(name)) return amountOf(live) > amountOf(wanted);
  return live !== wanted;
}

const UNIT: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

function amountOf(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([KMG]?)/i.exec(text) ?? [];
  return Number(digits) * (UNIT[unit.toUpperCase()] ?? 1);
}

const NowRow = z.object({ now: z.number() });

/** Rows dated too far from the server's clock expire wrongly, or are refused as being ahead. */
export function clockSkewCheck(sql: Sql, clock: Clock, futureMaxS: number): Check {
  return {
    name: "questdb clock",
    async run(signal) {
      const beforeUs = clock.nowUs();
      const [row] = await sql.select(NowRow, "SELECT now() AS now", [], signal);
      const afterUs = clock.nowUs();
      if (row === undefined) return failure("SELECT now() gave no row", "look at the server's log");
      const skewMs = (row.now - (beforeUs + afterUs) / 2) / 1000;
      const uncertainMs = (afterUs - beforeUs) / 2000;
      const detail = `${Math.abs(skewMs).toFixed(0)} ms ${skewMs < 0 ? "behind" : "ahead of"} this machine (±${uncertainMs.toFixed(0)})`;
      const remedy = "keep both clocks with a time service (timedatectl set-ntp true)";
      if (Math.abs(skewMs) - uncertainMs > futureMaxS * 1000) return failure(detail, remedy);
      return Math.abs(skewMs) - uncertainMs > 1000 ? warning(detail, remedy) : ok(detail);
    },
  };
}
