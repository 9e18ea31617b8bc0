// The picture of the house as data: who may import what. Data flows sources → intake → encode → spool → deliver →
// questdb, and nothing downstream knows a source. The tests of the architecture hold the code to it, and the fences in
// biome.fences.json to the same.

/** For every stage: definitions, time, errors, logging, recording a number, and how the configuration looks. */
export const EVERYWHERE = [
  "schema/",
  "ingest/backoff.ts",
  "ingest/clock.ts",
  "ingest/errors.ts",
  "ingest/log.ts",
  "ingest/metrics/record.ts",
  "type ingest/config/schema.ts",
];

/** What stands below every stage. The fences of the linter are about the stages and what is built from them. */
export const FOUNDATIONS = [
  "schema/",
  "ingest/backoff.ts",
  "ingest/clock.ts",
  "ingest/errors.ts",
  "ingest/log.ts",
  "ingest/package_root.ts",
  "ingest/process_identity.ts",
  "ingest/run_file.ts",
  "ingest/config/",
  "ingest/metrics/",
];

/** The contract between what hands rows over and what takes them: types, and no source in particular. */
const SOURCE_CONTRACT = "type ingest/sources/source.ts";

/**
 * What each part may import besides itself. `folder/` stands for all files in it, a file for itself alone, `type ` for
 * types only. A file may have an entry of its own, which then replaces that of its folder. A folder that a part may not
 * import at all is also behind a fence in biome.fences.json, so that an editor says so at once.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // Definitions and foundations.
  "schema/": [],
  "ingest/backoff.ts": [],
  "ingest/clock.ts": [],
  "ingest/errors.ts": [],
  "ingest/package_root.ts": [],
  "ingest/process_identity.ts": [],
  "ingest/log.ts": [],
  "ingest/metrics/": ["schema/"],
  "ingest/config/": ["schema/", "ingest/errors.ts"],
  "ingest/run_file.ts": ["ingest/errors.ts"],

  // What hands rows over. The supervisor and the tools for sampling serve sources and the simulated daemon alike.
  "ingest/sources/": [
    ...EVERYWHERE,
    "ingest/daemon/linked_abort.ts",
    "ingest/daemon/outage.ts",
    "ingest/daemon/sampler.ts",
  ],
  "ingest/sources/registry.ts": [...EVERYWHERE, "ingest/sources/", "ingest/daemon/health_source.ts"],
  "ingest/daemon/": [...EVERYWHERE, SOURCE_CONTRACT],
  "ingest/gateway/": [
    ...EVERYWHERE,
    SOURCE_CONTRACT,
    "ingest/intake/json_text.ts",
    "ingest/intake/malformed.ts",
    "type ingest/intake/replay.ts",
    "type ingest/alerting/alert_desk.ts",
  ],
  "ingest/demo/": [...EVERYWHERE, "ingest/daemon/"],

  // What Grafana is told, and what it tells: rules and routes out, the history of alerts in.
  "ingest/alerting/": [
    ...EVERYWHERE,
    SOURCE_CONTRACT,
    "ingest/config/",
    "ingest/package_root.ts",
    "type ingest/questdb/sql.ts",
  ],

  // The writer, in the order of the flow.
  "ingest/intake/": [
    ...EVERYWHERE,
    SOURCE_CONTRACT,
    "ingest/encode/",
    "type ingest/spool/frame.ts",
    "ingest/spool/group_commit.ts",
    "ingest/metrics/ledger.ts",
  ],
  "ingest/encode/": ["schema/", "type ingest/spool/frame.ts"],
  "ingest/spool/": ["ingest/clock.ts", "ingest/errors.ts", "ingest/process_identity.ts"],
  "ingest/ledger/": ["schema/", "ingest/encode/", "ingest/spool/"],
  "ingest/verify/": [
    ...EVERYWHERE,
    "ingest/encode/",
    "ingest/intake/dead_letter.ts",
    "ingest/ledger/",
    "ingest/questdb/",
    "ingest/spool/",
  ],
  "ingest/deliver/": [
    ...EVERYWHERE,
    "ingest/spool/",
    "ingest/encode/decode.ts",
    "type ingest/intake/dead_letter.ts",
    "ingest/metrics/ledger.ts",
  ],
  "ingest/questdb/": [...EVERYWHERE, "ingest/process_identity.ts"],
  // Fills in the shape that the source asks for.
  "ingest/questdb/table_sizes.ts": [...EVERYWHERE, "ingest/questdb/", "type ingest/sources/storage_usage.ts"],

  // What puts it together.
  "ingest/pipeline.ts": [
    ...EVERYWHERE,
    "ingest/intake/",
    "ingest/encode/frame_buffers.ts",
    "ingest/spool/",
    "ingest/ledger/",
    "ingest/deliver/",
    "ingest/metrics/",
  ],
  "ingest/database.ts": [
    ...EVERYWHERE,
    "ingest/questdb/",
    "ingest/deliver/ilp_http.ts",
    "ingest/package_root.ts",
    "ingest/pipeline.ts",
  ],
  "ingest/table_health.ts": [
    ...EVERYWHERE,
    "type ingest/pipeline.ts",
    "type ingest/questdb/state_watch.ts",
    "type ingest/sources/ingest_health.ts",
  ],
  "ingest/service.ts": [
    ...EVERYWHERE,
    "ingest/pipeline.ts",
    "ingest/table_health.ts",
    "ingest/database.ts",
    "ingest/sources/",
    "ingest/daemon/",
    "ingest/alerting/",
    "ingest/gateway/",
    "ingest/questdb/",
    "ingest/demo/demo.ts",
    "ingest/run_file.ts",
  ],

  // What people call. Commands look into the parts on their own, without a service.
  "ingest/doctor/": [
    ...EVERYWHERE,
    "ingest/config/",
    "ingest/database.ts",
    "ingest/gateway/port_owner.ts",
    "ingest/intake/dead_letter.ts",
    "ingest/questdb/",
    "ingest/run_file.ts",
    "ingest/sources/ccxt/",
    "ingest/spool/lock.ts",
  ],
  "ingest/cli/": [
    ...EVERYWHERE,
    "ingest/alerting/",
    "ingest/config/",
    "ingest/database.ts",
    "ingest/demo/",
    "ingest/doctor/",
    "ingest/encode/decode.ts",
    "ingest/intake/dead_letter.ts",
    "ingest/package_root.ts",
    "ingest/questdb/",
    "ingest/run_file.ts",
    "ingest/service.ts",
    "ingest/sources/ccxt/load_exchange.ts",
    "ingest/spool/",
    "ingest/verify/",
  ],
  "ingest/cli.ts": ["ingest/cli/", "ingest/errors.ts"],
  "ingest/main.ts": ["ingest/cli.ts", "type ingest/cli/io.ts", "ingest/clock.ts"],
};

/** Where a package or a part of Node may be used. What is not named here may not be used at all. */
export const HOMES: Readonly<Record<string, readonly string[]>> = {
  zod: ["schema/", "ingest/"],
  undici: [
    "ingest/alerting/grafana_api.ts",
    "ingest/cli/",
    "ingest/deliver/ilp_http.ts",
    "ingest/demo/",
    "ingest/doctor/",
    "ingest/questdb/",
    "ingest/sources/ccxt/",
  ],
  "@fastify/cors": ["ingest/gateway/server.ts"],
  "@node-rs/crc32": ["ingest/spool/crc32c.ts"],
  "@questdb/nodejs-client": ["ingest/encode/official.ts"],
  ccxt: ["ingest/sources/ccxt/"],
  commander: ["ingest/cli.ts"],
  fastify: ["ingest/gateway/"],
  ora: ["ingest/cli/progress.ts"],
  pg: ["ingest/questdb/"],
  pino: ["ingest/log.ts"],
  "prom-client": ["ingest/metrics/record.ts"],
  ws: ["ingest/demo/simulator/"],
  yaml: ["ingest/alerting/", "ingest/config/", "ingest/cli/alerts_generate.ts", "ingest/cli/check_config.ts"],
};

/** Parts that compute and do nothing else, with what they may use of Node. */
export const NODE_PARTS: Readonly<Record<string, readonly string[]>> = {
  "schema/": ["node:crypto"],
  "ingest/encode/": [],
  "ingest/metrics/": [],
  "ingest/deliver/": ["node:stream"],
};
