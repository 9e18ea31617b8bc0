// Loads the class of one exchange and makes an object of it. The class is imported by its file: importing `ccxt` as a
// whole costs 80 MB, one class with its base 30 MB and each further one a few. The package exports only its entry, so
// the file is found beside it. Everything that must be set before CCXT's first call is set here.
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { nearNames } from "../../../schema/near_names.ts";
import { TickwatchError } from "../../errors.ts";
import { type CcxtExchange, isCcxtExchange, isRecord, missingMembers } from "./ccxt_exchange.ts";
import type { ExchangeHttp } from "./http.ts";
import { quirksOf } from "./venue_quirks.ts";

export interface ExchangeSettings {
  /** CCXT id. */
  readonly id: string;
  /** Loads no other markets where the class can be told so; right when all symbols are linear contracts. */
  readonly linearOnly: boolean;
  /** In the shape of CCXT's `urls.api`; merged into it. */
  readonly urls?: Readonly<Record<string, unknown>> | undefined;
  readonly rateLimitMs?: number | undefined;
  readonly timeoutMs: number;
  readonly http: ExchangeHttp;
  /** Takes what CCXT would print on the console. */
  readonly onLog: (words: readonly unknown[]) => void;
}

/** CCXT's redial delays, capped: it stops at a minute by default, which would add to every outage. */
const WS_BACKOFF = { base: 1_000, factor: 2, max: 5_000, stableAfter: 30_000 };

/** Ids of all exchanges that the installed CCXT has. */
export async function knownExchangeIds(): Promise<readonly string[]> {
  const files = await readdir(sourceFolder());
  return files.flatMap((file) => (/^[a-z0-9]+\.js$/.test(file) ? [file.slice(0, -3)] : []));
}

/** Rejects with CONFIG_INVALID, naming similar ids, when CCXT has no such exchange. For `check-config` as well. */
export async function checkExchangeId(id: string): Promise<void> {
  const known = await knownExchangeIds();
  if (known.includes(id)) return;
  const near = nearNames(id, known);
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(", ")}?`
      : "Its documentation lists the ids of all exchanges.";
  throw new TickwatchError("CONFIG_INVALID", `CCXT knows no exchange "${id}". ${hint}`);
}

/**
 * A new exchange object without keys and without markets. Rejects with CONFIG_INVALID for an unknown id, and with
 * ENVIRONMENT when the class is not what this program was written for (another version of CCXT).
 */
export async function openExchange(settings: ExchangeSettings): Promise<CcxtExchange> {
  await checkExchangeId(settings.id);
  const Class = await importClass(settings.id);
  const exchange: unknown = Reflect.construct(Class, [constructorOptions(settings)]);
  if (!isCcxtExchange(exchange)) throw notAsExpected(settings.id, missingMembers(exchange));
  exchange.log = (...words) => settings.onLog(words);
  // Without an agent CCXT refuses plain ws:// addresses, as a configured address may be.
  await exchange.loadHttpProxyAgent();
  return exchange;
}

function sourceFolder(): URL {
  const entry = createRequire(import.meta.url).resolve("ccxt");
  return new URL("../js/src/", pathToFileURL(entry));
}

/** The streaming class where there is one: it extends the other. */
async function importClass(id: string): Promise<typeof Function.prototype> {
  const streaming = await readdir(new URL("pro/", sourceFolder()));
  const file = streaming.includes(`${id}.js`) ? `pro/${id}.js` : `${id}.js`;
  const module: unknown = await import(new URL(file, sourceFolder()).href);
  const Class = isRecord(module) ? module["default"] : undefined;
  if (typeof Class !== "function") throw notAsExpected(id, ["a class as default export"]);
  return Class;
}

function constructorOptions(settings: ExchangeSettings): object {
  const types = settings.linearOnly ? quirksOf(settings.id).linearMarketTypes : undefined;
  return {
    enableRateLimit: true,
    timeout: settings.timeoutMs,
    fetchImplementation: settings.http.fetchImplementation,
    // The texts of the last answers are megabytes that nobody reads.
    enableLastHttpResponse: false,
    enableLastJsonResponse: false,
    // Loading markets would ask for currencies first: large, for some venues private, and of no use here.
    has: { fetchCurrencies: false },
    options: { ws: { backoff: WS_BACKOFF }, ...(types ? { fetchMarkets: { types } } : {}) },
    ...(settings.rateLimitMs === undefined ? {} : { rateLimit: settings.rateLimitMs }),
    ...(settings.urls === undefined ? {} : { urls: { api: settings.urls } }),
  };
}

function notAsExpected(id: string, missing: readonly string[]): TickwatchError {
  const message = `CCXT's class for "${id}" lacks ${missing.join(", ")}: this program needs the CCXT version of its package-lock.json. Run npm ci.`;
  return new TickwatchError("ENVIRONMENT", message);
}
