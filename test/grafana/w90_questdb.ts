// A QuestDB with days of the reference workload that end now: what dashboards have to read in real life.
import { DAY_US } from "../../bench/workload/w90/stream.ts";
import { w90 } from "../../bench/workload/w90.ts";
import { createIlpHttp, type IlpHttp } from "../../ingest/deliver/ilp_http.ts";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { createEncoder, type EncodeRow } from "../../ingest/encode/row_encoder.ts";
import { openSql } from "../../ingest/questdb/sql.ts";
import { readWalProgress } from "../../ingest/questdb/wal_progress.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { findEvent } from "../../schema/registry.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { servicePlace } from "../support/service_process.ts";

const BODY_BYTES = 4 * 1024 * 1024;
const SEND_MS_MAX = 120_000;
const APPLY_MS_MAX = 600_000;
/** Encoders leave each row's key here; nobody reads it. */
const KEYS = new Int32Array(2);

/** Starts it, makes the tables and loads the days; resolves when queries see every row. The caller removes it. */
export async function startW90Questdb(days: number): Promise<QuestdbInstance> {
  const questdb = await startQuestdbInstance({ keep: true });
  try {
    await makeTables(questdb);
    await load(questdb, days);
    return questdb;
  } catch (error) {
    await questdb.remove();
    throw error;
  }
}

/** As the program does it when it starts. */
async function makeTables(questdb: QuestdbInstance): Promise<void> {
  const place = await servicePlace({ questdb, keep: true });
  try {
    const service = await place.run();
    await service.ready();
    service.interrupt();
    await service.ended;
  } finally {
    await place.remove();
  }
}

/** Whole days and what there is of today. */
async function load({ http, pg }: QuestdbInstance, days: number): Promise<void> {
  const sender = createIlpHttp({ url: http, connections: 1, timeoutMs: SEND_MS_MAX });
  const sql = openSql(pg);
  const nowUs = Date.now() * 1000;
  try {
    const tables = new Map<string, TableBody>();
    for (const { table, tsUs, rows } of w90({ seed: 1, startUs: nowUs - days * DAY_US })) {
      if (tsUs > nowUs) break;
      const body = tables.get(table) ?? new TableBody(table);
      tables.set(table, body);
      for (const row of rows) body.add(row);
      if (body.bytes >= BODY_BYTES) await body.send(sender);
    }
    for (const body of tables.values()) await body.send(sender);
    await until(
      "QuestDB to apply the days",
      async () =>
        [...(await readWalProgress(sql)).values()].every((wal) => wal.writerTxn >= wal.sequencerTxn),
      APPLY_MS_MAX,
    );
  } finally {
    await sql.close();
    await sender.close();
  }
}

/** Rows of one table on their way. */
class TableBody {
  readonly #event: EventDefinition;
  readonly #encode: EncodeRow;
  #buffer = new ByteBuffer();

  constructor(table: string) {
    const event = findEvent(table);
    if (event === undefined) throw new Error(`the schema has no table ${table}`);
    this.#event = event;
    this.#encode = createEncoder("native", event);
  }

  get bytes(): number {
    return this.#buffer.length;
  }

  add(row: object): void {
    const outcome = this.#event.parse(row);
    if (!outcome.ok) throw new Error(`${this.#event.name}: ${outcome.message}`);
    this.#encode(outcome.row, this.#buffer, KEYS, 0);
  }

  async send(sender: IlpHttp): Promise<void> {
    if (this.#buffer.length === 0) return;
    const outcome = await sender.send([this.#buffer.written()], new AbortController().signal);
    if (outcome.kind !== "written") throw new Error(`QuestDB answered: ${outcome.message}`);
    this.#buffer.length = 0;
  }
}
