// Keeps `docker compose up` safe to recommend: it agrees with the code, and each rule about it bites.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type ComposeTexts, composeMistakes } from "../support/compose_rules.ts";
import { composeSchemaMistakes } from "../support/compose_schema.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

function yamlFiles(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => read(join(folder, name)));
}

const texts: ComposeTexts = {
  compose: read("docker-compose.yml"),
  envExample: read(".env.example"),
  prometheus: read("provisioning/prometheus/prometheus.yml"),
  provisioning: ["datasources", "dashboards", "alerting"].flatMap((name) =>
    yamlFiles(`provisioning/${name}`),
  ),
  packageVersion: JSON.parse(read("package.json")).version,
  exists: (path) => existsSync(join(ROOT, path)),
};

test("docker-compose.yml agrees with the code, .env.example, Prometheus and what Grafana is given", () => {
  expect(composeMistakes(texts)).toEqual([]);
});

test("docker-compose.yml is what the Compose specification allows", () => {
  expect(composeSchemaMistakes(texts.compose)).toEqual([]);
});

test.each([
  ["a misspelt key", "mem_limit:", "mem_limits:", "/services/questdb: must NOT have additional properties"],
  [
    "an unknown condition",
    "service_healthy",
    "service_ready",
    "/depends_on/questdb/condition: must be equal",
  ],
  ["a number for a duration", "interval: 5s", "interval: 5", "/healthcheck/interval: must be string"],
])("%s is against the specification", (_what, from, to, words) => {
  expect(composeSchemaMistakes(texts.compose.replace(from, to)).join("\n")).toContain(words);
});

const inCompose = (from: string, to: string) => ({ compose: texts.compose.replace(from, to) });

test.each<readonly [string, Partial<ComposeTexts>, string]>([
  [
    "latest",
    inCompose("grafana/grafana:13.0.1", "grafana/grafana:latest"),
    "grafana: image grafana/grafana:latest is not pinned",
  ],
  [
    "another QuestDB",
    inCompose("questdb/questdb:9.3.4", "questdb/questdb:9.2.3"),
    "questdb: image questdb/questdb:9.2.3 is not the version of the code",
  ],
  ["another tickwatch", { packageVersion: "9.9.9" }, "is not the version of the package, 9.9.9"],
  [
    "a port for everybody",
    inCompose("127.0.0.1:${QUESTDB_HTTP_PORT", "${QUESTDB_HTTP_PORT"),
    "is published beyond this machine",
  ],
  ["no limit", inCompose("mem_limit: ${GRAFANA_MEMORY:-768m}", "cpu_count: 2"), "grafana: has no mem_limit"],
  [
    "no patience",
    inCompose("questdb: { condition: service_healthy }", "questdb: { condition: service_started }"),
    "tickwatch: starts before questdb is healthy",
  ],
  [
    "a default password",
    inCompose("${GRAFANA_ADMIN_PASSWORD:?set it in .env, see .env.example}", "admin"),
    "grafana: GF_SECURITY_ADMIN_PASSWORD stands in the file",
  ],
  [
    "a folder that is not there",
    inCompose("./provisioning/datasources", "./provisioning/datasource"),
    "./provisioning/datasource does not exist",
  ],
  [
    "a writable mount",
    inCompose("datasources:ro", "datasources"),
    "./provisioning/datasources can be written to",
  ],
  ["an unknown volume", inCompose("questdb:/var/lib", "quest:/var/lib"), "volume quest is not declared"],
  [
    "an unused volume",
    inCompose("volumes:\n  questdb:", "volumes:\n  old:\n  questdb:"),
    "volume old is not used",
  ],
  [
    "a variable without example",
    inCompose("${GRAFANA_PORT:-3000}", "${GRAFANA_HTTP:-3000}"),
    ".env.example lacks GRAFANA_HTTP",
  ],
  [
    "an example that nothing reads",
    { envExample: `${texts.envExample}\n#OLD=1` },
    ".env.example has OLD, which nothing reads",
  ],
  [
    "an example password",
    { envExample: texts.envExample.replace("QUESTDB_PASSWORD=", "QUESTDB_PASSWORD=quest") },
    ".env.example must have an empty QUESTDB_PASSWORD",
  ],
  [
    "a typo in a variable",
    inCompose("TICKWATCH_EXCHANGES:", "TICKWATCH_EXCHANGE:"),
    "TICKWATCH_EXCHANGE is no variable of the program",
  ],
  [
    "a variable that Grafana lacks",
    { provisioning: ["url: $PROMETHEUS_ADDRESS"] },
    "its provisioning reads PROMETHEUS_ADDRESS",
  ],
  [
    "a target that is no service",
    { prometheus: 'targets: ["quest:9003"]' },
    "prometheus: no service is named quest",
  ],
])("%s is a mistake", (_what, change, words) => {
  expect(composeMistakes({ ...texts, ...change }).join("\n")).toContain(words);
});

test("the image has what the package has, and runs as a user without rights", () => {
  const dockerfile = read("Dockerfile");
  const shipped = JSON.parse(read("package.json")).files.filter((path: string) => !/\.md$|^!/.test(path));
  for (const path of shipped) expect(dockerfile).toMatch(new RegExp(`^COPY --from=build /app/${path} `, "m"));
  expect(dockerfile.lastIndexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("COPY"));
  expect(dockerfile).not.toContain(":latest");
});

test("the datasources are those that dashboards and rules name", () => {
  const uid = (file: string) => parse(read(`provisioning/datasources/${file}`)).datasources[0].uid;
  expect([uid("questdb.yaml"), uid("prometheus.yaml")]).toEqual(["questdb", "prometheus"]);
});
