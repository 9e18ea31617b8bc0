// What the rest of the program gets to know about the QuestDB it works with, however that was found. Types only.
import type { Restart } from "./supervisor.ts";

/** A PGWire login. */
export interface PgAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface RunningQuestdb {
  /** `external`: it was there already and stays. `docker`, `java`: an installation of this data folder. */
  readonly kind: "external" | "docker" | "java";
  /** This process looks after the server: restarts it when it ends, and ends it in `stop()`. */
  readonly started: boolean;
  /** Base address without a slash at the end: console, `/exec`, `/write`. Stays the same over restarts. */
  readonly http: string;
  /** Value of the Authorization header, when the server wants one. */
  readonly httpAuthorization: string | undefined;
  /** Prometheus text of a server of ours. */
  readonly metricsUrl: string | undefined;
  readonly pg: PgAddress;
  /** The user that only reads, for Grafana and people; undefined for an external server. */
  readonly pgReadonly: PgAddress | undefined;
  /** Where the passwords of a server of ours are kept (mode 0600). */
  readonly credentialsFile: string | undefined;
  readonly version: string;
  /** Process id of a local Java at this moment; another one after a restart. */
  readonly pid: number | undefined;
  /** What a person should know about this server: another port than wanted, a server taken over, a shipped password. */
  readonly notes: readonly string[];
  /** Called when a supervised server came back after it had ended unexpectedly. Listeners must not throw. */
  onRestart(listener: (restart: Restart) => void): () => void;
  /** Ends a server that this process looks after, within ten seconds; leaves any other alone. Safe to call twice. */
  stop(): Promise<void>;
}

/** The part of the configuration that says which QuestDB to use. Port 0 means any free one. */
export interface QuestdbChoice {
  readonly url?: string | undefined;
  readonly pgHost?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly httpUser?: string | undefined;
  readonly httpPassword?: string | undefined;
  readonly start: "auto" | "docker" | "java" | "never";
  readonly version: string;
  readonly httpPort: number;
  readonly pgPort: number;
}
