// A task: the part of a scenario that runs in a process of its own. Its input and its result are plain data.
import type * as z from "zod";

/** The task's connection to the harness. */
export interface Channel {
  send(topic: string, data?: unknown): void;
  take<S extends z.ZodType>(topic: string, schema: S): Promise<z.output<S>>;
}

export interface Task<I = unknown, O = unknown> {
  /** File name below tasks/, without its ending; the process imports only that file. */
  readonly name: string;
  readonly input: z.ZodType<I>;
  readonly output: z.ZodType<O>;
  /** Names what is measured in the names of profiles; the task's name if absent. Letters, digits, underscores. */
  readonly label?: (input: I) => string;
  run(input: I, channel: Channel): Promise<O>;
}

/** A task whose types are forgotten, as the process that runs it sees it. */
export interface AnyTask {
  readonly name: string;
  labelOf(input: unknown): string;
  execute(input: unknown, channel: Channel): Promise<unknown>;
}

/** Gives a task the form that both sides use. */
export function defineTask<I, O>(task: Task<I, O>): Task<I, O> & AnyTask {
  const labelOf = (input: unknown) => task.label?.(task.input.parse(input)) ?? task.name;
  return { ...task, labelOf, execute: async (input, channel) => task.run(task.input.parse(input), channel) };
}
