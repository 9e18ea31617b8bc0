// Files that only this user may read, written whole or not at all. Knows nothing of what is in them.
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** Replaces `path` with `text`, mode 0600, synced before the rename: a reader sees the old text or the new one. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
