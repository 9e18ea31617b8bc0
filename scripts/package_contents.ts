// What belongs into the package that people install: the built program, what it reads at run time, and its papers.

/** Papers and files that the program or its users look for at these places. */
const REQUIRED = [
  "package.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "ARCHITECTURE.md",
  "tickwatch.example.yaml",
  "alerts.example.yaml",
  "provisioning/alert_catalogue.json",
  "schema/generated/tables.sql",
  "schema/generated/rollups.sql",
  "schema/generated/columns.libsonnet",
  "schema/generated/events.md",
  "schema/migrations/README.md",
];

const BUILT = /^dist\/(?:ingest|schema)\/[a-z0-9_/]+\.js(?:\.map)?$/;
const MIGRATION = /^schema\/migrations\/\d{4}_[a-z0-9_]+\.sql$/;

/** `sources` are the program's modules and migrations, from the project's root. One line for each mistake. */
export function packageMistakes(packed: readonly string[], sources: readonly string[]): string[] {
  const built = sources.map((path) => (path.endsWith(".ts") ? `dist/${path.replace(/\.ts$/, ".js")}` : path));
  const present = new Set(packed);
  const missing = [...REQUIRED, ...built].filter((path) => !present.has(path));
  const wanted = new Set([...REQUIRED, ...built, ...built.map((path) => `${path}.map`)]);
  const stray = packed.filter((path) => !wanted.has(path));
  return [
    ...missing.map((path) => `${path} is missing`),
    ...stray.map((path) =>
      BUILT.test(path) || MIGRATION.test(path) ? `${path} has no source` : `${path} does not belong into it`,
    ),
  ];
}
