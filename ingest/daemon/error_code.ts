// The code of anything that was thrown: what daemon_errors counts and limits by. Never made from a message, so that it
// stays a small set.

const CODE = /^[A-Za-z][\w.:-]{0,63}$/;

/** The error's own code (ours, or the system's such as ECONNREFUSED), else its class, else "unknown". */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const code = "code" in error ? error.code : undefined;
  return [code, error.name, error.constructor.name].find(isCode) ?? "unknown";
}

function isCode(code: unknown): code is string {
  return typeof code === "string" && CODE.test(code) && code !== "Error";
}
