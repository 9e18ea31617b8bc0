// A process that tries to take the locks of several spool folders, each at a given moment, tells how it went, and holds
// what it has got until it is ended.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { takeLock } from "../../ingest/spool/lock.ts";

const { folders, go, everyMs }: { folders: string[]; go: string; everyMs: number } = JSON.parse(
  process.argv[2] ?? "",
);

process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
while (!existsSync(go)) await delay(5);
const fromMs = Number(await readFile(go, "utf8"));
for (const [index, folder] of folders.entries()) {
  // Spinning: all processes at once, because a lock is only as good as in its closest race.
  while (Date.now() < fromMs + index * everyMs);
  const outcome = await takeLock(folder, new Date().toISOString()).then(
    () => "taken",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
  process.stdout.write(`${JSON.stringify({ folder, outcome })}\n`);
}
setInterval(() => undefined, 1_000);
