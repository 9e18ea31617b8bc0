// How many requests the delivery has made so far, from the service's own metrics: each is a commit to QuestDB.
import type { Metrics } from "../../ingest/metrics/record.ts";

const LINE = /^tickwatch_ack_seconds_count(?:\{[^}]*\})? (\d+)$/gm;

export async function requestsSent(metrics: Metrics): Promise<number> {
  const text = await metrics.text();
  return [...text.matchAll(LINE)].reduce((sum, match) => sum + Number(match[1]), 0);
}
