// What the rendered dashboards were made from: SHA-256 of every source and every output. With it a checkout without
// jsonnet can tell that nobody changed one without the other.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

/** Where the sources are, from the root of the project. */
export const SOURCES_DIR = "dashboards-jsonnet";

/** The manifest itself. */
export const MANIFEST = `${SOURCES_DIR}/manifest.json`;

/** Names of columns: a source that lives elsewhere. */
const COLUMNS = "schema/generated/columns.libsonnet";

const Hashes = z.record(z.string(), z.string());
const Manifest = z.strictObject({ sources: Hashes, outputs: Hashes });

export type Manifest = z.infer<typeof Manifest>;

/** Texts by path from the root. */
export type Texts = ReadonlyMap<string, string>;

/** The text of the manifest: one file a line, sorted. */
export function manifestText(sources: Texts, outputs: Texts): string {
  return `${JSON.stringify({ sources: hashes(sources), outputs: hashes(outputs) }, null, 2)}\n`;
}

/** Undefined when there is none, or none that can be read. */
export function readManifest(root: string): Manifest | undefined {
  try {
    const parsed = Manifest.safeParse(JSON.parse(readFileSync(join(root, MANIFEST), "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that a rendering depends on, but for what is fetched into vendor/, which the lock file stands for. */
export function readSources(root: string): Texts {
  const paths = readdirSync(join(root, SOURCES_DIR), { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith("vendor") && /\.(lib|j)sonnet$|^jsonnetfile.*\.json$/.test(path))
    .map((path) => `${SOURCES_DIR}/${path}`);
  return readTexts(root, [...paths, COLUMNS]);
}

/** Those of the files that exist. */
export function readTexts(root: string, paths: readonly string[]): Texts {
  const there = paths.filter((path) => existsSync(join(root, path)));
  return new Map(there.toSorted().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

/** Paths whose text is not what the manifest says: changed, new or gone. */
export function changedSince(noted: Readonly<Record<string, string>>, now: Texts): readonly string[] {
  const found = hashes(now);
  return [...new Set([...Object.keys(noted), ...Object.keys(found)])]
    .filter((path) => noted[path] !== found[path])
    .toSorted();
}

function hashes(texts: Texts): Record<string, string> {
  return Object.fromEntries(
    [...texts]
      .map(([path, text]) => [path, createHash("sha256").update(text).digest("hex")] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
