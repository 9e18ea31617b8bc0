// The verification's face: for each table, accepted = stored + replaced + dead-lettered + pending, to the row. Works while
// the service runs and when it does not; changes nothing.
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { microsToIso } from "../../schema/timestamp_text.ts";
import type { Clock } from "../clock.ts";
import type { KeyedTable } from "../encode/value_key.ts";
import { TickwatchError } from "../errors.ts";
import { KIND_ACCEPTED, KIND_DROPPED } from "../ledger/block.ts";
import { MinuteKeys, minuteOf, US_PER_MINUTE } from "../ledger/minute_keys.ts";
import { type TableKeys, tableKeys } from "../ledger/open_keys.ts";
import { type LedgerReader, openLedgerReader } from "../ledger/read_ledger.ts";
import { type LiveTable, readLiveTables, ttlDaysOf } from "../questdb/live_schema.ts";
import type { Sql } from "../questdb/sql.ts";
import { openFolder } from "../spool/storage.ts";
import { missingRows, storedExamples } from "./examples.ts";
import type { TableAccount, Verdict, VerifyReport } from "./report.ts";
import { groupsOf, keysBehind, type Snapshot, takeSnapshot } from "./snapshot.ts";
import { TableAudit, US_PER_HOUR } from "./table_audit.ts";
import { untilApplied } from "./until_applied.ts";

export interface VerifyOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly spoolDir: string;
  readonly ledgerDir: string;
  readonly deadLetterDir: string;
  /** Tables to account for; those of the registry if absent. */
  readonly events?: readonly EventDefinition[];
  /** Rows from this ts on, and up to this one, in whole minutes, µs. */
  readonly fromUs?: number | undefined;
  readonly toUs?: number | undefined;
  /** Compare keys also where the counts agree: a lost row beside a foreign one hides from counting. */
  readonly allKeys: boolean;
  /** Rows of other writers are a failure, too. */
  readonly strict: boolean;
  /** Rows named for each kind of trouble of a table. */
  readonly examplesMax: number;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Keys in memory at once: 64 MB, and as many of QuestDB's. */
const WINDOW_KEYS = 8_388_608;
/** Rows of minutes that ended so long before are not expected to come while QuestDB is asked. */
const LIVE_MINUTES = 10;
const US_PER_DAY = 86_400_000_000;

/** Errors: ENVIRONMENT when there is no ledger, DB_UNAVAILABLE and DB_SQL as of `Sql`. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  options.onProgress("reading the ledger");
  const ledger = await openLedgerReader(await openFolder(options.ledgerDir));
  try {
    if (ledger.toSeq === undefined) {
      throw new TickwatchError(
        "ENVIRONMENT",
        `there is no ledger in ${options.ledgerDir}: it is kept from the next start on, unless ledger.bytesMax is 0`,
      );
    }
    return await new Verification(options, ledger).run();
  } finally {
    await ledger.close();
  }
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #ledger: LedgerReader;
  readonly #events: readonly EventDefinition[];
  readonly #keys: ReadonlyMap<string, TableKeys>;
  readonly #notes = new Map<string, string[]>();

  constructor(options: VerifyOptions, ledger: LedgerReader) {
    this.#options = options;
    this.#ledger = ledger;
    this.#events = options.events ?? EVENTS;
    this.#keys = new Map(this.#events.map((event) => [event.name, tableKeys(event)]));
  }

  async run(): Promise<VerifyReport> {
    const { sql, clock, signal, spoolDir, deadLetterDir, onProgress } = this.#options;
    onProgress("reading spool and dead letters");
    const places = { spool: await openFolder(spoolDir), deadLetterDir };
    const snapshot = await takeSnapshot(places, this.#ledger, this.#keys);
    const nowUs = clock.nowUs();
    onProgress("waiting until QuestDB shows what it took");
    const names = this.#events.map(({ name }) => name);
    for (const [table, note] of await untilApplied(sql, names, clock, signal)) this.#note(table, note);
    const live = await readLiveTables(sql, names, signal);
    const audits = this.#events.map((event) => this.#audit(event, live.get(event.name), snapshot, nowUs));
    for (const [fromHour, toHour] of this.#windows(snapshot))
      await this.#window(fromHour, toHour, snapshot, audits);
    for (const { audit } of audits) await audit.rest();
    if (audits.some(({ audit }) => audit.foreign.length > 0)) {
      const meanwhile = await keysBehind(places, snapshot, this.#keys);
      for (const { audit } of audits) audit.acceptedMeanwhile(meanwhile);
    }
    const tables: TableAccount[] = [];
    for (const audited of audits) tables.push(await this.#account(audited, places.spool));
    const ok = tables.every(({ verdict }) => verdict === "adds up" || verdict === "empty");
    return { ok, from: isoOf(this.#range.from), to: isoOf(this.#range.to), tables };
  }

  /** What was asked for, in minutes. */
  get #range(): { readonly from: number | undefined; readonly to: number | undefined } {
    const { fromUs, toUs } = this.#options;
    return {
      from: fromUs === undefined ? undefined : minuteOf(fromUs),
      to: toUs === undefined ? undefined : Math.ceil(toUs / US_PER_MINUTE),
    };
  }

  #audit(event: EventDefinition, live: LiveTable | undefined, snapshot: Snapshot, nowUs: number): Audited {
    const { sql, allKeys, strict, signal } = this.#options;
    const { from = 0, to = LAST_MINUTE } = this.#range;
    const ttlDays = live?.ttl === undefined ? Number.POSITIVE_INFINITY : ttlDaysOf(live.ttl).least;
    const keptFrom = Math.max(0, Math.ceil((nowUs - ttlDays * US_PER_DAY) / US_PER_MINUTE) + 1);
    if (live === undefined) this.#note(event.name, "QuestDB has no such table");
    // Keys of other columns tell nothing about rows from before the change.
    const others = this.#ledger.tables.filter(
      ({ table, fingerprint }) => table === event.name && fingerprint !== this.#keys.get(table)?.fingerprint,
    );
    const completeFromUs = Math.max(this.#ledger.completeFromUs, ...others.map(({ horizonUs }) => horizonUs));
    const audit = new TableAudit({
      ...{ sql, table: event, exists: live !== undefined, completeFromUs, signal },
      ...{ pending: snapshot.pending, deadLettered: snapshot.deadLettered },
      fromMinute: Math.max(from, keptFrom),
      toMinute: to,
      allKeys: allKeys || strict,
      liveFromMinute: minuteOf(nowUs) - LIVE_MINUTES,
    });
    return { audit, event, completeFromUs, keptFrom, fromMinute: from, expired: 0 };
  }

  /** Stretches of whole hours, each with as many keys as fit into memory; an hour with more is one by itself. */
  *#windows({ recent }: Snapshot): Generator<readonly [fromHour: number, toHour: number]> {
    const hours = new Map<number, number>();
    const add = (hour: number, rows: number) => hours.set(hour, (hours.get(hour) ?? 0) + rows);
    for (const { table, hours: of } of this.#ledger.tables)
      if (this.#keys.has(table)) for (const [hour, rows] of of) add(hour, rows);
    for (const { name } of this.#events)
      for (const [minute, rows] of recent.minutes(name)) add(Math.floor(minute / 60), rows);
    const { from = 0, to = LAST_MINUTE } = this.#range;
    let start: number | undefined;
    let end = 0;
    let keys = 0;
    for (const [hour, rows] of [...hours].sort(([a], [b]) => a - b)) {
      if ((hour + 1) * 60 <= from || hour * 60 >= to) continue;
      if (start !== undefined && keys + rows > WINDOW_KEYS) {
        yield [start, end];
        start = undefined;
        keys = 0;
      }
      start ??= hour;
      end = hour + 1;
      keys += rows;
    }
    if (start !== undefined) yield [start, end];
  }

  async #window(fromHour: number, toHour: number, snapshot: Snapshot, audits: readonly Audited[]) {
    this.#options.onProgress(`comparing rows from ${isoOf(fromHour * 60)}`);
    const accepted = new MinuteKeys();
    const isInside = (minute: number) => minute >= fromHour * 60 && minute < toHour * 60;
    for await (const { groups } of this.#ledger.blocks(fromHour, toHour)) {
      const inside = groups.filter(({ minute }) => isInside(minute));
      for (const group of groupsOf(KIND_ACCEPTED, inside, this.#keys)) accepted.add(group);
      // A dead letter that had to go is one all the same.
      for (const group of groupsOf(KIND_DROPPED, inside, this.#keys)) snapshot.deadLettered.add(group);
    }
    for (const table of snapshot.recent.tables())
      for (const [minute] of snapshot.recent.minutes(table))
        if (isInside(minute)) accepted.add({ table, minute, keys: snapshot.recent.keys(table, minute) });
    for (const audited of audits) {
      const hours = new Set<number>();
      for (const [minute, rows] of accepted.minutes(audited.event.name)) {
        if (minute < audited.fromMinute) continue;
        if (minute < audited.keptFrom) audited.expired += rows;
        else hours.add(Math.floor(minute / 60));
      }
      for (const hour of [...hours].sort((a, b) => a - b)) await audited.audit.hour(hour, accepted);
    }
  }

  async #account(
    { audit, event, completeFromUs, expired }: Audited,
    spool: Parameters<typeof missingRows>[0],
  ): Promise<TableAccount> {
    const { sql, examplesMax, strict, signal } = this.#options;
    const { stillInSpool, examples } =
      audit.missing.length === 0
        ? { stillInSpool: 0, examples: [] }
        : await missingRows(spool, event.name, this.#keys, audit.missing, examplesMax);
    const others = [
      ...(await storedExamples(sql, event, "doubled", audit.doubled, examplesMax, signal)),
      ...(await storedExamples(sql, event, "foreign", audit.foreign, examplesMax, signal)),
    ];
    return {
      table: event.name,
      verdict: verdictOf(audit, strict),
      ...audit.tally,
      ...{ older: audit.older, expired, stillInSpool },
      completeFrom: completeFromUs === 0 ? null : microsToIso(completeFromUs),
      notes: this.#notes.get(event.name) ?? [],
      examples: [...examples, ...others],
    };
  }

  #note(table: string, note: string): void {
    this.#notes.set(table, [...(this.#notes.get(table) ?? []), note]);
  }
}

/** The year 2255: beyond it no ts is exact. */
const LAST_MINUTE = Math.floor(Number.MAX_SAFE_INTEGER / US_PER_HOUR) * 60;

interface Audited {
  readonly audit: TableAudit;
  readonly event: EventDefinition & KeyedTable;
  readonly completeFromUs: number;
  /** Rows of earlier minutes may be gone by the table's TTL. */
  readonly keptFrom: number;
  readonly fromMinute: number;
  expired: number;
}

function verdictOf({ tally, older }: TableAudit, strict: boolean): Verdict {
  if (tally.missing > 0) return "missing rows";
  if (tally.doubled > 0) return "doubled rows";
  if (strict && tally.foreign > 0) return "foreign rows";
  return tally.accepted + tally.foreign + older === 0 ? "empty" : "adds up";
}

function isoOf(minute: number | undefined): string | null {
  return minute === undefined ? null : microsToIso(minute * US_PER_MINUTE);
}
