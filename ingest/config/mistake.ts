// One mistake in the configuration, and how a list of them reads. Knows neither files nor zod.

export type SettingPath = readonly PropertyKey[];

/** `path` as in `pathText`; "" speaks of the whole. `origin` is where the value came from: a file with line, or a variable. */
export interface Mistake {
  readonly path: string;
  readonly origin?: string | undefined;
  readonly message: string;
}

/** `["http", "keys", 0, "name"]` → `http.keys[0].name`. */
export function pathText(path: SettingPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

/** Every mistake on its own line, in the order given; the first line counts them, the last says where to look. */
export function mistakesText(
  mistakes: readonly Mistake[],
  file: string | undefined,
  example = "tickwatch.example.yaml",
): string {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  const lines = mistakes.map(({ path, origin, message }) => {
    const place = [path, origin ? `(${origin})` : ""].filter((word) => word !== "").join(" ");
    return place === "" ? `  ${message}` : `  ${place}: ${message}`;
  });
  return [
    `${count} in the configuration${file === undefined ? "" : ` ${file}`}:`,
    ...lines,
    `${example} lists every setting with its default.`,
  ].join("\n");
}
