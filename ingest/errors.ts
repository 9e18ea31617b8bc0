// The one error class. Its code is closed, and the code (never the text) decides what happens next.

/** What can go wrong, named by what the caller does about it. */
export type ErrorCode =
  | "CONFIG_INVALID" // the person corrects the configuration
  | "USAGE" // the person corrects the command
  | "ENVIRONMENT" // the person installs or frees something (Java, a port, disk)
  | "SCHEMA_DRIFT" // the person migrates
  | "DB_UNAVAILABLE" // wait and try again
  | "DB_SQL" // a statement was refused
  | "SPOOL_LOCKED" // another process owns the spool
  | "SPOOL_FULL" // slow down; room comes back by itself
  | "SPOOL_FAILED" // the disk refused a write; nothing was acknowledged
  | "STOPPING"; // this process takes nothing more

/** Exit codes of the command line, one per kind of remedy. */
export const EXIT_CODE: Readonly<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 2,
  USAGE: 2,
  ENVIRONMENT: 3,
  SCHEMA_DRIFT: 4,
  DB_UNAVAILABLE: 5,
  DB_SQL: 1,
  SPOOL_LOCKED: 6,
  SPOOL_FULL: 1,
  SPOOL_FAILED: 1,
  STOPPING: 1,
};

/** `message` is written for the person who has to act: what, where, what to do. `cause` keeps the technical error. */
export class TickwatchError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "TickwatchError";
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
