// The PGWire users of a QuestDB that we start: one that may do everything, one that only reads (for Grafana and for
// queries by people). Random passwords, made once per data folder and kept in a file that only this user may read.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TickwatchError } from "../errors.ts";
import { writePrivateFile } from "./private_file.ts";

const Credentials = z.strictObject({
  user: z.string().min(1),
  password: z.string().min(16),
  readonlyUser: z.string().min(1),
  readonlyPassword: z.string().min(16),
});

export type PgCredentials = Readonly<z.output<typeof Credentials>>;

/** Where the credentials of a data folder are. */
export function credentialsFile(root: string): string {
  return join(root, "credentials.json");
}

/**
 * The credentials of this data folder, made and written on first use. Not safe against two at once: the caller holds
 * the start lock. Throws ENVIRONMENT when the file is there but unusable, rather than lock out who has the old password.
 */
export async function loadCredentials(root: string): Promise<PgCredentials> {
  const path = credentialsFile(root);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new TickwatchError("ENVIRONMENT", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text !== undefined) return parse(path, text);
  const made: PgCredentials = {
    user: "tickwatch",
    password: randomBytes(24).toString("base64url"),
    readonlyUser: "tickwatch_reader",
    readonlyPassword: randomBytes(24).toString("base64url"),
  };
  await writePrivateFile(path, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

function parse(path: string, text: string): PgCredentials {
  try {
    return Credentials.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${path} is damaged: delete it and start again; new passwords are made then`;
    throw new TickwatchError("ENVIRONMENT", message, { cause });
  }
}
