// What a measured service is told: where the database is, a data folder of its own, and what differs from the defaults.
import type { Bench } from "../harness/bench.ts";
import type { ServiceInput } from "../tasks/bench_pipeline.ts";

/** A service with a new data folder. Remove the folder when its process has ended. */
export async function newService(
  bench: Bench,
  settings: ServiceInput["settings"] = {},
): Promise<ServiceInput> {
  const { address } = await bench.questdb();
  return { server: address, dataDir: await bench.folder("data"), settings };
}

/** What `npm start` and the image give to Node: the young generation of the heap stays small (docs/adr/0007). */
export const SERVICE_FLAGS: readonly string[] = ["--max-semi-space-size=8"];

/** An address where nobody listens: for services that are not to deliver. */
export const NOWHERE: ServiceInput["server"] = {
  http: "http://127.0.0.1:9",
  httpAuthorization: null,
  pg: { host: "127.0.0.1", port: 9, database: "qdb", user: "none", password: "none" },
};
