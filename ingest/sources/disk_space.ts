// How much of the disk under the data folder is free, into metrics: a full disk stops the spool, and a QuestDB beside it.
import { statfs } from "node:fs/promises";
import { createSampler } from "../daemon/sampler.ts";
import type { Source, SourceContext } from "./source.ts";

export interface DiskSpaceOptions {
  readonly context: SourceContext;
  /** A folder on the disk. */
  readonly folder: string;
  /** Default 60 s. */
  readonly everyMs?: number;
}

/**
 * `disk_free_bytes` and `disk_free_ratio` (of what this user may use) at once, then every `everyMs`; both with the
 * folder as a label.
 */
export function createDiskSpaceSource({ context, folder, everyMs = 60_000 }: DiskSpaceOptions): Source {
  const { instance } = context;
  const labels = JSON.stringify({ path: folder });
  return createSampler({
    name: "disk_space",
    table: "metrics",
    everyMs,
    context,
    begin: () => ({
      async sample(ts) {
        const { bavail, bfree, blocks, bsize } = await statfs(folder);
        const usable = blocks - bfree + bavail;
        const common = { ts, source: "tickwatch", labels, instance };
        return [
          { ...common, name: "disk_free_bytes", value: bavail * bsize },
          { ...common, name: "disk_free_ratio", value: usable === 0 ? 0 : bavail / usable },
        ];
      },
    }),
  });
}
