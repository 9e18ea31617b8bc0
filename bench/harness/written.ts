// What a process reports that wrote rows on command: when it began, and what it used until the last acknowledgement.
import * as z from "zod";

export const WrittenSchema = z.object({
  /** Wall clock, µs. */
  startUs: z.number(),
  deliveredUs: z.number(),
  cpuSeconds: z.number(),
  rssMaxBytes: z.number(),
  /** Null where there is no event loop. */
  loopDelayP99Ms: z.number().nullable(),
  gcSeconds: z.number().nullable(),
});
export type Written = z.output<typeof WrittenSchema>;
