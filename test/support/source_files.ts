// Reads the project's own sources for the tests of its structure: which files there are, what each imports, and its code
// without comments. Regular expressions are enough for code that the formatter has been over.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  /** A path from the project's root, or the name of a package, or of a part of Node with its prefix. */
  readonly to: string;
  /** Nothing of it is left when the code runs. */
  readonly typeOnly: boolean;
}

/** Every TypeScript file below these folders of the project. */
export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
      .toSorted()
      .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") })),
  );
}

const FROM = /^(?:import|export)\s(type\s)?([^"';]*?)\sfrom\s"([^"]+)"/gm;
const BARE_OR_DYNAMIC = /^import\s"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

/** All imports and re-exports of a file, also those made while it runs. */
export function importsOf(file: SourceFile): readonly Import[] {
  const code = codeOf(file);
  const resolve = (target: string) =>
    target.startsWith(".") ? posix.join(posix.dirname(file.path), target) : packageName(target);
  return [
    ...[...code.matchAll(FROM)].map(([, type, names = "", target = ""]) => ({
      from: file.path,
      to: resolve(target),
      typeOnly: type !== undefined || namesOnlyTypes(names),
    })),
    ...[...code.matchAll(BARE_OR_DYNAMIC)].map(([, bare, dynamic]) => ({
      from: file.path,
      to: resolve(bare ?? dynamic ?? ""),
      typeOnly: false,
    })),
  ];
}

/** The file with every comment blanked out; its lines keep their numbers. */
export function codeOf({ text }: SourceFile): string {
  return text
    .split("\n")
    .map((line) => (/^\s*(?:\/\/|\/\*|\*)/.test(line) ? "" : line.replace(/\s\/\/ .*$/, "")))
    .join("\n");
}

function namesOnlyTypes(names: string): boolean {
  const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  if (inBraces === undefined) return false;
  return inBraces
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .every((name) => name.startsWith("type "));
}

function packageName(target: string): string {
  if (target.startsWith("node:")) return target;
  return target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
}
