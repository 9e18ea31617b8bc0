// The common end of tasks that write rows: warm, say so, wait for the word, write, report. The report is sent before the task
// cleans up after itself, because the harness begins to count rows then.
import * as z from "zod";
import type { Clock } from "../../ingest/clock.ts";
import type { Channel } from "../harness/task.ts";
import { UsageWindow } from "../harness/usage_window.ts";
import type { Written } from "../harness/written.ts";

/** `write` resolves when the last row is acknowledged by QuestDB. */
export async function writeOnCommand(
  channel: Channel,
  clock: Clock,
  write: () => Promise<void>,
): Promise<void> {
  channel.send("ready");
  await channel.take("go", z.unknown());
  const window = new UsageWindow();
  const startUs = clock.nowUs();
  await write();
  const deliveredUs = clock.nowUs();
  const { cpuSeconds, rssMaxBytes, loopDelayP99Ms, gcSeconds } = window.close();
  const used = { cpuSeconds, rssMaxBytes, loopDelayP99Ms, gcSeconds };
  channel.send("written", { startUs, deliveredUs, ...used } satisfies Written);
}
