// `tickwatch check-config`: the configuration in effect as YAML, secrets hidden, with the origin of every value that is
// no default. Mistakes are thrown by the loader and printed like any other error; so are exchanges that CCXT lacks.
import { Document, isMap, isPair, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { LoadedConfig } from "../config/load.ts";
import { type Mistake, mistakesText, pathText, type SettingPath } from "../config/mistake.ts";
import { redact } from "../config/redact.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import { checkExchangeId } from "../sources/ccxt/load_exchange.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export async function checkConfig(io: CliIo, options: GlobalOptions): Promise<number> {
  const loaded = configurationFor(io, options);
  const mistakes = await unknownExchanges(loaded);
  if (mistakes.length > 0) throw new TickwatchError("CONFIG_INVALID", mistakesText(mistakes, loaded.file));
  io.out(effectiveYaml(loaded));
  for (const warning of loaded.warnings) io.err(`warning: ${warning}`);
  return 0;
}

/** The loader leaves them alone: it does not touch CCXT, which every other command can do without. */
async function unknownExchanges({ config, origins }: LoadedConfig): Promise<Mistake[]> {
  const checked = config.pipeline.exchanges.map(async ({ id }, index) => {
    const path = `pipeline.exchanges[${index}].id`;
    const origin = origins.get(path) ?? origins.get("pipeline.exchanges");
    return checkExchangeId(id).then(
      () => [],
      (error: unknown) => [{ path, origin, message: messageOf(error) }],
    );
  });
  return (await Promise.all(checked)).flat();
}

/** Every setting in effect; what has an origin carries it as a comment, the rest are defaults. */
export function effectiveYaml({ config, file, origins }: LoadedConfig): string {
  const document = new Document(redact(config), { aliasDuplicateObjects: false });
  document.commentBefore = ` ${file === undefined ? "No file" : `File ${file}`}; a value without a comment is the default.`;
  comment(document.contents, [], origins);
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function comment(node: unknown, path: SettingPath, origins: LoadedConfig["origins"]): void {
  if (isMap(node)) for (const pair of node.items) commentPair(pair, path, origins);
  if (isSeq(node)) for (const [index, item] of node.items.entries()) comment(item, [...path, index], origins);
}

function commentPair(pair: Pair, path: SettingPath, origins: LoadedConfig["origins"]): void {
  if (!isPair(pair) || !isScalar(pair.key)) return;
  const at = [...path, String(pair.key.value)];
  const origin = origins.get(pathText(at));
  const { value } = pair;
  const hasLines = (isMap(value) || isSeq(value)) && value.items.length > 0;
  if (origin !== undefined && isNode(value)) {
    // Above a list or a group, behind a single value; a group from the file is commented value by value.
    if (!hasLines) value.comment = ` ${origin}`;
    else if (isSeq(value)) pair.key.commentBefore = ` ${origin}`;
  }
  comment(value, at, origins);
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value);
}
