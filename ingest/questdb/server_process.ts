// A started QuestDB as the supervisor sees it: something that runs, ends, and can be told to end. Java processes and
// containers look the same from here.

/** How a server ended. Both null when it was not our child, so that nobody could tell us. */
export interface ServerExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface ServerProcess {
  /** Process id of the Java process; a container has none here. */
  readonly pid: number | undefined;
  /**
   * Resolves when the server has ended for whatever reason; never rejects. For a server that is not our child the first
   * call begins to look, and keeps this process alive until the end.
   */
  ended(): Promise<ServerExit>;
  /** Asks it to end, insists after eight seconds, resolves when it has ended. */
  terminate(): Promise<void>;
}

/** How long a server may take to end by itself before it is killed. It is crash-safe, so killing loses nothing committed. */
export const TERMINATE_MS = 8_000;
