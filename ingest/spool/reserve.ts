// A file of zeros that is given up when the disk is full, so that a start finds room for what it has to write (README.md,
// "Reserve"). While rows are refused for want of room, nothing else of the spool may fail for it.
import { open, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";

const NAME = "reserve";
const RESERVE_BYTES = 262_144;

/** Only on a disk with more room than this it is taken (again): rows come first. */
const COMFORT_BYTES = 4 * RESERVE_BYTES;

/** Gives the reserve of a spool folder up when its disk has less room than the reserve itself. */
export async function giveReserve(folder: string): Promise<void> {
  if ((await freeBytes(folder)) < RESERVE_BYTES) await rm(join(folder, NAME), { force: true });
}

/** Takes the reserve when there is none and room is plenty. A failure is none: the next call tries again. */
export async function takeReserve(folder: string): Promise<void> {
  const path = join(folder, NAME);
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size >= RESERVE_BYTES || (await freeBytes(folder)) < COMFORT_BYTES) return;
  try {
    const file = await open(path, "w", 0o600);
    try {
      // Written, not only made long: a file with holes reserves nothing.
      await file.writeFile(Buffer.alloc(RESERVE_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch {
    await rm(path, { force: true });
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
