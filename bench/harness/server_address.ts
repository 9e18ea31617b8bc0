// Where the QuestDB of a benchmark is, as plain data for the measured processes.
import * as z from "zod";

export const ServerAddressSchema = z.object({
  /** Base address without a slash at the end. */
  http: z.string(),
  httpAuthorization: z.string().nullable(),
  pg: z.object({
    host: z.string(),
    port: z.int(),
    database: z.string(),
    user: z.string(),
    password: z.string(),
  }),
});
export type ServerAddress = z.output<typeof ServerAddressSchema>;
