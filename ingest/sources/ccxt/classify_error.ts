// What a failed call to an exchange means for us. CCXT's classes are recognized by the names in their prototype chain:
// importing them would load a second copy of its base. Pure.

/** Kinds of failure, by what they say about the exchange and what to do next. */
export type FailureKind =
  | "network" // nothing usable came back: the exchange, or the way to it, is away
  | "timeout" // nothing came back in time
  | "rate_limited" // we were told to slow down
  | "unsupported" // the venue hasn't this; asking again is pointless
  | "wrong_data" // an answer came, but not what it should be
  | "refused"; // the venue understood and said no

export interface Failure {
  readonly kind: FailureKind;
  /** Name of the error class: a closed set, fit for a SYMBOL column. */
  readonly errorCode: string;
  /** One short line for people: class and the beginning of the message. */
  readonly reason: string;
}

/** An answer that parsed but holds nothing we may write. */
export class MalformedResponse extends Error {
  override readonly name = "MalformedResponse";
}

const REASON_LENGTH_MAX = 200;

/** Checked in this order: the classes of CCXT inherit from each other (RateLimitExceeded is a NetworkError). */
const KIND_BY_CLASS: readonly (readonly [FailureKind, readonly string[]])[] = [
  ["rate_limited", ["RateLimitExceeded", "DDoSProtection"]],
  ["timeout", ["RequestTimeout", "TimeoutError", "AbortError"]],
  ["unsupported", ["NotSupported"]],
  ["wrong_data", ["MalformedResponse", "BadResponse"]],
  ["network", ["NetworkError"]],
  ["refused", ["BaseError"]],
  // Not CCXT's: its parser stumbled over an answer of the wrong form.
  ["wrong_data", ["TypeError", "SyntaxError", "RangeError"]],
];

/** Never throws. An error that is none of CCXT's counts as a network failure when it has a system code such as ECONNRESET. */
export function classifyError(error: unknown): Failure {
  const names = classNames(error);
  const errorCode = codeOf(error, names[0] ?? "Error");
  const reason = reasonOf(errorCode, error);
  for (const [kind, classes] of KIND_BY_CLASS) {
    if (classes.some((name) => names.includes(name))) return { kind, errorCode, reason };
  }
  return { kind: hasSystemCode(error) ? "network" : "refused", errorCode, reason };
}

/** An error of no class of its own says more by its system code. */
function codeOf(error: unknown, name: string): string {
  return name === "Error" && error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : name;
}

/** Name of the error first, then its classes from the most special to the most general. */
function classNames(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const names = [error.name];
  let prototype: unknown = Object.getPrototypeOf(error);
  while (prototype instanceof Error || prototype === Error.prototype) {
    names.push(prototype.constructor.name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

function reasonOf(errorCode: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.replace(/\s+/g, " ").trim();
  const text = line === "" || line === errorCode ? errorCode : `${errorCode}: ${line}`;
  return text.length > REASON_LENGTH_MAX ? `${text.slice(0, REASON_LENGTH_MAX)}…` : text;
}

function hasSystemCode(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
