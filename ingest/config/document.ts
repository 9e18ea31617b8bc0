// Finds and reads the configuration file: one YAML or JSON document (JSON is YAML). Knows where each value stands in
// the file, not what it means.
import { existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { messageOf } from "../errors.ts";
import { type Mistake, pathText, type SettingPath } from "./mistake.ts";

/** Looked for in the working directory, in this order, when no file is named. */
const FILE_NAMES: readonly string[] = ["tickwatch.yaml", "tickwatch.yml", "tickwatch.json"];

export interface ConfigDocument {
  /** As it was named, or the name of the file that was found; undefined when there is none. */
  readonly file: string | undefined;
  /** What the file says; an empty object when there is nothing to read. */
  readonly value: unknown;
  /** Path of a value → `tickwatch.yaml line 12`. */
  readonly places: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
}

/** Reads `named`, or the first of `names` in `cwd`. Never throws: what is wrong is in `mistakes`. */
export function readDocument(named: string | undefined, cwd: string, names = FILE_NAMES): ConfigDocument {
  const found = names.filter((name) => existsSync(resolve(cwd, name)));
  const file = named ?? found[0];
  if (file === undefined) return { file, value: {}, places: new Map(), mistakes: [], warnings: [] };
  const ignored = named === undefined ? found.slice(1) : [];
  const warnings = ignored.map((name) => `${name} is ignored because ${file} exists; keep one of them`);
  try {
    return { file, warnings, ...parse(readFileSync(resolve(cwd, file), "utf8"), basename(file)) };
  } catch (error) {
    const mistakes = [{ path: "", message: `cannot be read: ${messageOf(error)}` }];
    return { file, value: {}, places: new Map(), mistakes, warnings };
  }
}

function parse(text: string, name: string): Pick<ConfigDocument, "value" | "places" | "mistakes"> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { path: "", origin: `${name} line ${line}, column ${col}`, message: error.message };
  });
  // After a key that stands twice the rest can still be checked; after any other error it would be guesswork.
  if (document.errors.some((error) => error.code !== "DUPLICATE_KEY")) {
    return { value: {}, places: new Map(), mistakes };
  }
  const places = new Map<string, string>();
  const note = (path: SettingPath, offset: number) =>
    places.set(pathText(path), `${name} line ${lines.linePos(offset).line}`);
  notePlaces(document.contents, [], note);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
    if (typeof value === "object" && !Array.isArray(value)) return { value, places, mistakes };
    mistakes.push({ path: "", origin: name, message: "must be settings (`name: value`), one a line" });
  } catch (error) {
    mistakes.push({ path: "", origin: name, message: messageOf(error) });
  }
  return { value: {}, places: new Map(), mistakes };
}

function notePlaces(
  node: Node | null,
  path: SettingPath,
  note: (path: SettingPath, offset: number) => void,
): void {
  if (isMap<unknown, Node | null>(node)) {
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const keyPath = [...path, String(key.value)];
      if (key.range) note(keyPath, key.range[0]);
      notePlaces(value, keyPath, note);
    }
  } else if (isSeq<Node | null>(node)) {
    node.items.forEach((item, index) => {
      if (item?.range) note([...path, index], item.range[0]);
      notePlaces(item, [...path, index], note);
    });
  }
}
