// docker-compose.yml against the schema of the Compose specification, which comes with the linter `dclint`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv, type ErrorObject } from "ajv";
import { parse } from "yaml";

const require = createRequire(import.meta.url);
const FOLDER = dirname(require.resolve("dclint/package.json"));

const schema = JSON.parse(readFileSync(join(FOLDER, "schemas", "compose.schema.json"), "utf8"));
// The same dialect; ajv knows it by its older address. Formats (durations, bytes) are checked by Compose itself.
delete schema.$schema;
const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);

/** What the specification does not allow, each with its place; none when all is well. */
export function composeSchemaMistakes(text: string): string[] {
  if (validate(parse(text, { merge: true }))) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }: ErrorObject) =>
      `${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}
