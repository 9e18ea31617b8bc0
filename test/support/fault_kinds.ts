// The faults of the network between the service and QuestDB, as data. What each means on the wire is in fault_proxy.ts;
// the bytes of false answers are here.

/** What the proxy does while it is set. `none`: hands everything on unchanged. */
export type Fault =
  | { readonly kind: "none" }
  /** Nobody listens; open connections are cut. */
  | { readonly kind: "refuse" }
  /** Every connection is accepted and cut with RST at once; open ones too. */
  | { readonly kind: "reset" }
  /** So many bytes of a request reach the server, then both sides are cut with RST. Smaller requests pass. */
  | { readonly kind: "reset_after"; readonly bytes: number }
  /** The server gets the whole request and answers; the client gets RST instead: it cannot know. */
  | { readonly kind: "swallow_answer" }
  /** Connections are accepted, nothing is handed on in either direction. */
  | { readonly kind: "stall" }
  /**
   * The whole request is kept until the client has gone. The server gets it behind the next one that is handed on, before
   * that one's client hears of it.
   */
  | { readonly kind: "late" }
  /** Answers come so much later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Requests are handed on at this pace. */
  | { readonly kind: "throttle"; readonly bytesPerSecond: number }
  /** This status instead of handing the request on. */
  | { readonly kind: "answer"; readonly status: FalseStatus }
  /** This status to requests that hold this text, as a server answers that stumbles over a row; others pass. */
  | { readonly kind: "stumble"; readonly text: string; readonly status: FalseStatus }
  /** An answer that breaks the rules of HTTP or of QuestDB. */
  | { readonly kind: "malformed"; readonly form: MalformedForm };

/** Every kind that is one; a new one without an entry does not compile. */
export const FAULT_KINDS: Readonly<Record<Exclude<Fault["kind"], "none">, true>> = {
  ...{ refuse: true, reset: true, reset_after: true, swallow_answer: true, stall: true, late: true },
  ...{ delay: true, throttle: true, answer: true, stumble: true, malformed: true },
};

export type FalseStatus = 200 | 401 | 413 | 421 | 500 | 503;

export type MalformedForm = keyof typeof MALFORMED;

export const NO_FAULT: Fault = { kind: "none" };

const REASONS: Readonly<Record<FalseStatus, string>> = {
  200: "OK",
  401: "Unauthorized",
  413: "Payload Too Large",
  421: "Misdirected Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A well-formed answer with this status. A 200 is the page of some other server: QuestDB confirms with 204. */
export function falseAnswer(status: FalseStatus): string {
  const body = status === 200 ? "<html>Please log in</html>" : `not today: ${status}`;
  return answerOf(`${status} ${REASONS[status]}`, body);
}

function answerOf(statusLine: string, body: string, announcedBytes = body.length): string {
  return `HTTP/1.1 ${statusLine}\r\nContent-Type: text/plain\r\nContent-Length: ${announcedBytes}\r\n\r\n${body}`;
}

export interface MalformedAnswer {
  /** The server gets the request: the answer confirms something that is true. */
  readonly handedOn: boolean;
  readonly bytes: string;
  /** `cut`: the connection ends behind the bytes. `kept`: it stays open. `endless`: headers go on for ever. */
  readonly ending: "cut" | "kept" | "endless";
}

const CONFIRMED = "HTTP/1.1 204 No Content\r\n";

export const MALFORMED = {
  garbage: { handedOn: false, bytes: "\u0000\u0001\u00ffQUESTDB\r\n\r\n\u0007", ending: "cut" },
  nothing: { handedOn: false, bytes: "", ending: "cut" },
  half_status_line: { handedOn: false, bytes: "HTTP/1.1 20", ending: "cut" },
  wrong_status_line: { handedOn: false, bytes: "HTTP/9.7 two-oh-four Fine\r\n\r\n", ending: "kept" },
  headers_cut: { handedOn: false, bytes: `${CONFIRMED}Content-Le`, ending: "cut" },
  cut_json: {
    handedOn: false,
    bytes: answerOf("400 Bad Request", '{"code":"invalid","message":"failed to pa', 400),
    ending: "cut",
  },
  short_json: {
    handedOn: false,
    bytes: answerOf("400 Bad Request", '{"code":"invalid","message":"failed to pa'),
    ending: "kept",
  },
  endless_headers: { handedOn: false, bytes: CONFIRMED, ending: "endless" },
  /** The rows are stored, and behind the confirmation comes what looks like the next one. */
  answer_behind_answer: { handedOn: true, bytes: `${CONFIRMED}\r\n${CONFIRMED}\r\n`, ending: "kept" },
  confirmed_with_body: {
    handedOn: true,
    bytes: `${CONFIRMED}Content-Length: 9\r\n\r\nsurprise!`,
    ending: "kept",
  },
} as const satisfies Readonly<Record<string, MalformedAnswer>>;
