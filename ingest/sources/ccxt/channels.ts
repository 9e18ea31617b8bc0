// The channels of one exchange by name: "rest", "ws:liquidations", the name of a dataset that it lacks, or
// "symbol:<symbol>" for a configured symbol that it lacks. They outlive the runs of the source.
import { Channel, type ChannelContext } from "./connection_state.ts";

export class Channels {
  readonly #context: Omit<ChannelContext, "record">;
  readonly #channels = new Map<string, Channel>();
  #record: ChannelContext["record"] | undefined;

  constructor(context: Omit<ChannelContext, "record">) {
    this.#context = context;
  }

  channel(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const made = new Channel(name, { ...this.#context, record: (row) => this.#record?.(row) });
    this.#channels.set(name, made);
    return made;
  }

  /** Where the rows of changes go from now on; nowhere between two runs, when nothing changes. */
  recordTo(record: ChannelContext["record"] | undefined): void {
    this.#record = record;
  }
}
