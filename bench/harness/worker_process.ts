// Runs a task in a process of its own: starts it, bounds it in time, ends it. The measured process has its own heap and its
// own compiled code, so that no scenario warms up or slows down another.
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import * as z from "zod";
import { messageOf } from "../../ingest/errors.ts";
import { Mailbox, messageFrom } from "./mailbox.ts";
import type { Task } from "./task.ts";

export interface WorkerOptions {
  readonly timeoutMs: number;
  /** Flags for node before those of this process, such as --expose-gc. */
  readonly nodeFlags?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder for CPU profiles of what is measured. */
  readonly profileDir?: string | undefined;
}

export interface Worker<O> {
  readonly pid: number | undefined;
  /** Rejects with the task's error, after the time-out, or when the process ended early. */
  readonly result: Promise<O>;
  send(topic: string, data?: unknown): void;
  take<S extends z.ZodType>(topic: string, schema: S): Promise<z.output<S>>;
  listen<S extends z.ZodType>(topic: string, schema: S, listener: (data: z.output<S>) => void): void;
  /** Ends it in order (profiles are written then), by force after a while. Resolves when it is gone. */
  end(): Promise<void>;
  /** Ends it as a crash would. Resolves when it is gone. */
  kill(): Promise<void>;
}

const END_MS = 10_000;

/** Starts the process. The caller ends it, whatever happens. */
export function startWorker<I, O>(task: Task<I, O>, input: I, options: WorkerOptions): Worker<O> {
  const script = new URL(`../worker${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(script, {
    execArgv: [...(options.nodeFlags ?? []), ...process.execArgv],
    env: { ...options.env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const mailbox = new Mailbox();
  child.on("message", (raw) => mailbox.put(messageFrom(raw)));
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      mailbox.close(new Error(`${task.name} ended early (${signal ?? `exit code ${code}`})`));
      resolve();
    });
    child.once("error", (error) => {
      mailbox.close(error);
      resolve();
    });
  });
  mailbox.listen("failed", z.object({ message: z.string() }), ({ message }) =>
    mailbox.close(new Error(`${task.name} failed: ${message}`)),
  );
  const timer = setTimeout(() => {
    mailbox.close(new Error(`${task.name} did not finish within ${options.timeoutMs / 1000} s (--timeout)`));
    child.kill("SIGKILL");
  }, options.timeoutMs);
  const post = (topic: string, data?: unknown) => send(child, topic, data);
  post("run", { name: task.name, input, profileDir: options.profileDir });
  const result = mailbox.take("result", task.output).finally(() => clearTimeout(timer));
  // Whoever never asks for the result still ends the process and hears of its failure through another topic.
  result.catch(() => undefined);

  async function kill(): Promise<void> {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await ended;
  }

  return {
    pid: child.pid,
    result,
    send: post,
    take: (topic, schema) => mailbox.take(topic, schema),
    listen: (topic, schema, listener) => mailbox.listen(topic, schema, listener),
    kill,
    async end() {
      clearTimeout(timer);
      post("end");
      const force = setTimeout(() => child.kill("SIGKILL"), END_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

function send(child: ChildProcess, topic: string, data: unknown): void {
  if (!child.connected) return;
  child.send({ topic, data }, (error) => {
    // A process that has just ended tells so by itself.
    if (error !== null && child.connected) process.emitWarning(messageOf(error));
  });
}
