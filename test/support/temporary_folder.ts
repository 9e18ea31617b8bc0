// Folders that disappear with their test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder; removed when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
