// The process that is measured: takes one task over IPC, imports the task's file, runs it and sends the result back. Ends by
// itself, also when the harness is gone.
import { extname } from "node:path";
import * as z from "zod";
import { messageOf } from "../ingest/errors.ts";
import { Mailbox, messageFrom } from "./harness/mailbox.ts";
import type { AnyTask, Channel } from "./harness/task.ts";
import { observeWindows } from "./harness/usage_window.ts";
import { windowProfiler } from "./harness/window_profiler.ts";

const TaskModule = z.object({
  task: z.custom<AnyTask>((value) => typeof value === "object" && value !== null),
});

const RunSchema = z.object({
  name: z.string().regex(/^\w+$/),
  input: z.unknown().optional(),
  /** Where a CPU profile of what is measured goes; none is taken if absent. */
  profileDir: z.string().optional(),
});

const mailbox = new Mailbox();
const channel: Channel = {
  send: (topic, data) => void process.send?.({ topic, data }),
  take: (topic, schema) => mailbox.take(topic, schema),
};

async function main(): Promise<void> {
  const { name, input, profileDir } = await mailbox.take("run", RunSchema);
  const file = new URL(`./tasks/${name}${extname(import.meta.filename)}`, import.meta.url);
  const { task } = TaskModule.parse(await import(file.href));
  if (profileDir !== undefined) observeWindows(windowProfiler(profileDir, task.labelOf(input)));
  channel.send("result", await task.execute(input, channel));
}

process.on("message", (raw) => mailbox.put(messageFrom(raw)));
process.on("disconnect", () => process.exit(1));
// The harness and its processes get the same Ctrl-C from a terminal; the harness ends them.
process.on("SIGINT", () => undefined);

main().catch((error: unknown) => {
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
  channel.send("failed", { message: stack });
});
// The harness says when: a task's result may be followed by questions.
await mailbox.take("end", z.unknown());
process.exit(0);
