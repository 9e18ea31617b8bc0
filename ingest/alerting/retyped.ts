// What Grafana makes of a text that comes out of a variable: in contact points and policies, text that looks like a
// number or a truth value becomes one, and a secret that is a number keeps Grafana from starting. Pure.

/** What Go's strconv takes for true or false. */
const BOOLEAN = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/;
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX = /^[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+$/;
const SPECIAL = /^[+-]?(?:inf|infinity)$|^nan$/i;

export type Retyped = "text" | "integer" | "number" | "boolean";

/** The type that Grafana gives to the value of a setting that is nothing but a variable. */
export function retyped(text: string): Retyped {
  if (INTEGER.test(text)) return isWide(text) ? "number" : "integer";
  if (HEX.test(text) || SPECIAL.test(text)) return "number";
  if (DECIMAL.test(text)) return Number.isFinite(Number(text)) ? "number" : "text";
  return BOOLEAN.test(text) ? "boolean" : "text";
}

/** Beyond 64 bits an integer is read as a floating-point number. */
function isWide(text: string): boolean {
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) !== value;
}
