// An intake over a spool in memory, with a clock that the test moves and dead letters in a folder of its own.

import type { BufferSource } from "../../ingest/encode/byte_buffer.ts";
import { type DeadLetterWriter, openDeadLetters } from "../../ingest/intake/dead_letter.ts";
import { createIntake, type Intake } from "../../ingest/intake/intake.ts";
import { createLedger, type Ledger } from "../../ingest/metrics/ledger.ts";
import { createMetrics, type Metrics } from "../../ingest/metrics/record.ts";
import { createRoom } from "../../ingest/spool/room.ts";
import type { Spool } from "../../ingest/spool/spool.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryStorage } from "./memory_storage.ts";
import { openTestSpool } from "./spool_fixture.ts";
import { temporaryFolder } from "./temporary_folder.ts";

export interface TestIntake {
  readonly intake: Intake;
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly spool: Spool;
  readonly storage: MemoryStorage;
  readonly deadLetters: DeadLetterWriter;
  readonly deadLetterDir: string;
}

export interface TestIntakeOptions {
  /** Where frames get their memory, and go back to. */
  readonly memory?: BufferSource;
  /** Of frames in the spool's memory. */
  readonly memoryBytes?: number;
  readonly segmentBytes?: number;
  readonly graceMs?: number;
  readonly rowBytesMax?: number;
  readonly bytesMax?: number;
  readonly whenFull?: "reject" | "block";
}

export async function openTestIntake(options: TestIntakeOptions = {}): Promise<TestIntake> {
  const clock = new ManualClock();
  const metrics = createMetrics({ processMetrics: false });
  const ledger = createLedger(metrics);
  const storage = new MemoryStorage();
  const { memory, memoryBytes = 2_000, segmentBytes = 65_536, bytesMax = 1 << 30, graceMs = 0 } = options;
  const spool = await openTestSpool(storage, {
    ...{ segmentBytes, bytesMax, memoryBytes, graceMs },
    onReleased: ({ payload }) => memory?.give(payload),
  });
  const deadLetterDir = await temporaryFolder();
  const deadLetters = await openDeadLetters({
    folder: deadLetterDir,
    bytesMax: 1 << 20,
    nowUs: () => clock.nowUs(),
    onDropped: () => undefined,
  });
  const intake = createIntake({
    encoder: "native",
    frameRowsMax: 50_000,
    frameBytesMax: 4_194_304,
    rowBytesMax: options.rowBytesMax ?? 1_048_576,
    futureMaxS: 60,
    ...(memory === undefined ? {} : { memory }),
    syncIntervalMs: 0,
    ttlDaysOf: (event: EventDefinition) => event.ttlDays,
    clock,
    ledger,
    deadLetters,
    append: (frames) => spool.append(frames),
    room: createRoom(spool, options.whenFull ?? "reject").wait,
    onDurable: () => undefined,
  });
  return { intake, clock, ledger, metrics, spool, storage, deadLetters, deadLetterDir };
}
