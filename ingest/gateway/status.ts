// What the service says about itself to those who ask over HTTP. The pipeline knows it; the gateway only shows it.

/** A snapshot, cheap to make: it is asked for on every `/readyz`. */
export interface ServiceStatus {
  readonly state: "starting" | "running" | "stopping";
  /** Rows handed over now would be accepted. QuestDB may be away: then they wait in the spool. */
  readonly ready: boolean;
  /** One sentence for each thing that somebody should look at; empty when all is well. */
  readonly problems: readonly string[];
  readonly questdb: {
    readonly up: boolean;
    /** Microseconds since 1970 of the last change of `up`; null before the first contact. */
    readonly since: number | null;
  };
}
