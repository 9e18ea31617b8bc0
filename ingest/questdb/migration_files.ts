// The files of schema/migrations: names, order, statements, checksums; and which statements are never allowed there.
// Runs nothing.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, TickwatchError } from "../errors.ts";
import { splitStatements, withoutTexts } from "./sql_text.ts";

export interface Migration {
  /** File name, such as 0001_add_fee.sql: the migration's identity for ever. */
  readonly name: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly text: string;
  /** First 16 hex digits of SHA-256 over the text; comments around it and line ends do not count. */
  readonly checksum: string;
}

const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

/** Data goes by TTL alone: a migration that removes rows or tables is a mistake, or needs a person at the console. */
const FORBIDDEN: readonly [pattern: RegExp, what: string][] = [
  [/\bDROP\s+(ALL\s+TABLES|TABLE|MATERIALIZED|PARTITION)\b/i, "drops a table, view or partition"],
  [/\bTRUNCATE\b/i, "truncates a table"],
];

/**
 * All migrations in order. Throws ENVIRONMENT when the folder cannot be read or a file in it could not work: a bad name,
 * a number given twice, no statement, a statement that drops or truncates.
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new TickwatchError("ENVIRONMENT", `cannot read the migrations: ${messageOf(cause)}`, { cause });
  });
  const files = names.filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(files.map(async (name) => parse(folder, name)));
  for (const [i, { name }] of migrations.entries()) {
    const before = migrations[i - 1]?.name;
    if (before?.slice(0, 4) === name.slice(0, 4))
      throw wrong(folder, name, `has the same number as ${before}`);
  }
  return migrations;
}

async function parse(folder: string, name: string): Promise<Migration> {
  if (!FILE_NAME.test(name)) throw wrong(folder, name, "must be named like 0001_what_it_does.sql");
  const text = (await readFile(join(folder, name), "utf8")).replaceAll("\r\n", "\n");
  const statements = splitStatements(text);
  if (statements.length === 0) throw wrong(folder, name, "has no statement");
  for (const statement of statements) {
    const words = withoutTexts(statement);
    for (const [pattern, what] of FORBIDDEN) {
      if (pattern.test(words)) throw wrong(folder, name, `${what}, which no migration may: ${statement}`);
    }
  }
  return {
    name,
    statements: statements.map((statement) => ({ text: statement, checksum: checksumOf(statement) })),
  };
}

function checksumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function wrong(folder: string, name: string, what: string): TickwatchError {
  return new TickwatchError("ENVIRONMENT", `migration ${join(folder, name)} ${what}`);
}

const TARGET = /^\s*(?:ALTER\s+TABLE|UPDATE)\s+(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_]+))/i;

/** The table a statement changes, for ALTER TABLE and UPDATE; undefined for any other. */
export function targetTable(statement: string): string | undefined {
  const match = TARGET.exec(statement);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}

const ADD_COLUMN =
  /^\s*ALTER\s+TABLE\s+\S+\s+ADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?:"([^"]+)"|([A-Za-z0-9_]+))\s+([A-Za-z0-9_]+)[^,]*$/i;

/** Name and type of the column that a statement adds; undefined when it adds none, or several. */
export function addedColumn(statement: string): { readonly name: string; readonly type: string } | undefined {
  const match = ADD_COLUMN.exec(statement);
  const name = match?.[1] ?? match?.[2];
  const type = match?.[3];
  return name === undefined || type === undefined ? undefined : { name, type: type.toUpperCase() };
}
