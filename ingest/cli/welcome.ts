// What a person is told once everything runs: where to look, one query to try, how to stop. Pure.
import type { RunInfo } from "../run_file.ts";

export function welcomeText(
  info: RunInfo,
  options: { readonly demo: boolean; readonly dataDir: string },
): string {
  const { http, questdb } = info;
  const query = options.demo
    ? "SELECT * FROM open_interest LATEST ON ts PARTITION BY exchange, symbol"
    : "SELECT * FROM connections LATEST ON ts PARTITION BY exchange, channel";
  const lines = [
    ["web console", `${questdb.http}  (SQL over every table)`],
    ["gateway", `${http}/v1/events/:table  (tables and fields: ${http}/v1/tables)`],
    ["documents", `${http}/openapi.json`],
    ["metrics", `${http}/metrics  (health: ${http}/readyz)`],
    ["data", options.dataDir],
    ...(info.simulator === undefined
      ? []
      : [["exchanges", `${info.simulator.http}/control  (simulated; process ${info.simulator.pid})`]]),
  ];
  return [
    `tickwatch ${info.version} is recording${options.demo ? " simulated exchanges and a simulated daemon" : ""}. Where to look:`,
    ...lines.map(([name = "", where = ""]) => `  ${name.padEnd(12)} ${where}`),
    "",
    "Try, in another terminal:",
    `  curl -sG ${questdb.http}/exp --data-urlencode "query=${query}"`,
    "",
    "Ctrl-C stops it in order.",
  ].join("\n");
}
