import { long, oneOf, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const storageUsage = defineEvent({
  name: "storage_usage",
  why: "How much disk do the stores take, and how fast does it grow?",
  sampling: "one measurement per store and path every minute",
  keys: ["store", "path"],
  columns: {
    store: oneOf(["parquet", "questdb", "spool"], "Which store."),
    path: symbol("Folder or table measured."),
    bytes: long("Bytes on disk."),
    files: optional(long("Files.")),
    partitions: optional(long("Partitions.")),
  },
});
