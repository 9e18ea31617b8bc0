// What this data folder accepted, at one moment: the ledger, what is stored but not in it yet, what waits for delivery,
// what lies in the dead letters. The service may run meanwhile; the order of the readings makes up for it:
// - A frame that leaves the spool is in the ledger before: so the ledger is read again after the segments.
// - A row that leaves the spool for the dead letters is there before: so they are read again after the cursor. One that
//   leaves them is in the spool before they are read the first time, or in the second reading.
// - Whatever the cursor calls delivered was acknowledged before: so QuestDB is asked afterwards.

import { type KeyGroup, KIND_ACCEPTED, KIND_DROPPED } from "../ledger/block.ts";
import { MinuteKeys } from "../ledger/minute_keys.ts";
import { OpenKeys, type TableKeys } from "../ledger/open_keys.ts";
import type { LedgerReader } from "../ledger/read_ledger.ts";
import { readCursor } from "../spool/cursor.ts";
import type { Storage } from "../spool/storage.ts";
import { deadLetterKeys, unitedLetters } from "./dead_letter_keys.ts";
import { spoolFrames } from "./spool_frames.ts";

/** Where it lies. */
export interface Places {
  readonly spool: Storage;
  readonly deadLetterDir: string;
}

export interface Snapshot {
  /** Keys up to the time of opening the ledger; the rest is in `recent`. */
  readonly ledger: LedgerReader;
  readonly recent: MinuteKeys;
  readonly pending: MinuteKeys;
  readonly deadLettered: MinuteKeys;
  /** The last record that was seen. */
  readonly seq: number;
}

/** Reads everything but the bulk of the ledger. The caller closes `ledger`. */
export async function takeSnapshot(
  places: Places,
  ledger: LedgerReader,
  tables: ReadonlyMap<string, TableKeys>,
): Promise<Snapshot> {
  const letters = await deadLetterKeys(places.deadLetterDir, tables);
  const positions = await readCursor(places.spool);
  const ackedOf = (table: string) => positions.get(table)?.acked ?? 0;
  const [recent, pending, deadLettered] = [new MinuteKeys(), new MinuteKeys(), new MinuteKeys()];
  const frames: { readonly seq: number; readonly groups: ReturnType<OpenKeys["take"]> }[] = [];
  const keys = new OpenKeys(tables);
  const ledgerSeq = ledger.toSeq ?? 0;
  const isWanted = (table: string, seq: number) => seq > ledgerSeq || seq > ackedOf(table);
  for await (const { seq, frame } of spoolFrames(places.spool, isWanted)) {
    keys.add(frame);
    const groups = keys.take();
    if (seq > ackedOf(frame.table)) for (const group of groups) pending.add(group);
    if (seq > ledgerSeq) frames.push({ seq, groups });
  }
  let seq = ledgerSeq;
  for await (const block of ledger.newer()) {
    for (const group of groupsOf(KIND_ACCEPTED, block.groups, tables)) recent.add(group);
    for (const group of groupsOf(KIND_DROPPED, block.groups, tables)) deadLettered.add(group);
    seq = Math.max(seq, block.toSeq);
  }
  for (const frame of frames) {
    if (frame.seq <= seq) continue;
    for (const group of frame.groups) recent.add(group);
  }
  const united = unitedLetters(letters, await deadLetterKeys(places.deadLetterDir, tables));
  for (const { letters: times, ...key } of united.values())
    for (let left = times; left > 0; left--) deadLettered.add(key);
  return { ledger, recent, pending, deadLettered, seq: Math.max(seq, frames.at(-1)?.seq ?? 0) };
}

/** Keys of rows that were accepted behind record `seq`: what may have come while QuestDB was asked. */
export async function keysBehind(
  places: Places,
  { ledger, seq }: Snapshot,
  tables: ReadonlyMap<string, TableKeys>,
): Promise<MinuteKeys> {
  const found = new MinuteKeys();
  const keys = new OpenKeys(tables);
  for await (const { frame } of spoolFrames(places.spool, (_, frameSeq) => frameSeq > seq)) {
    keys.add(frame);
    for (const group of keys.take()) found.add(group);
  }
  for await (const block of ledger.newer())
    if (block.toSeq > seq)
      for (const group of groupsOf(KIND_ACCEPTED, block.groups, tables)) found.add(group);
  return found;
}

/** The groups of one kind whose keys are made of the columns that are known. */
export function groupsOf(
  kind: number,
  groups: readonly KeyGroup[],
  tables: ReadonlyMap<string, TableKeys>,
): KeyGroup[] {
  return groups.filter((one) => one.kind === kind && tables.get(one.table)?.fingerprint === one.fingerprint);
}
