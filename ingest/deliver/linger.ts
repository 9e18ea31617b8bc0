// How long rows may wait for company before they are sent. Commits, not rows, cost QuestDB its CPU, so there is a budget
// of commits over all tables, and each table's share of it sets its wait. Pure.

export interface LingerLimits {
  readonly commitsPerSecond: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** The wait of each table when `activeTables` of them receive rows: active tables ÷ budget, within the limits. */
export function lingerMs(activeTables: number, { commitsPerSecond, minMs, maxMs }: LingerLimits): number {
  const fairShareMs = (1000 * activeTables) / commitsPerSecond;
  return Math.min(maxMs, Math.max(minMs, fairShareMs));
}
