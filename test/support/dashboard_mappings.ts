// Whether a panel's value mappings say something of a value, as Grafana looks it up.

type Mapping = Readonly<Record<string, unknown>>;

export function isMapped(mappings: readonly Mapping[], value: unknown): boolean {
  return mappings.some((mapping) => {
    const options = mapping["options"];
    if (typeof options !== "object" || options === null) return false;
    const entries = new Map<string, unknown>(Object.entries(options));
    switch (mapping["type"]) {
      case "value":
        return entries.has(String(value));
      case "range":
        return isWithin(Number(value), entries.get("from"), entries.get("to"));
      case "regex":
        return new RegExp(String(entries.get("pattern")).replace(/^\/(.*)\/$/, "$1")).test(String(value));
      default:
        return false;
    }
  });
}

/** An end that is null is open. */
function isWithin(value: number, from: unknown, to: unknown): boolean {
  return (typeof from !== "number" || value >= from) && (typeof to !== "number" || value <= to);
}
