// The few endpoints of gate that the poll of its liquidations needs, for a venue that has no stream of them. Shapes
// follow the venue's public documentation.
import { createServer } from "node:http";
import { onTestFinished } from "vitest";

interface GateLiquidation {
  /** Seconds. */
  readonly time: number;
  /** Size of the position, negative for a short one. */
  readonly size: number;
  readonly fillPrice: string;
}

export interface GateServer {
  /** In the shape of CCXT's urls.api of gate. */
  readonly urls: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly liquidations: GateLiquidation[];
  /** Queries of the liquidation endpoint. */
  readonly asked: URLSearchParams[];
}

/** Has one contract, BTC_USDT, of a ten-thousandth of a bitcoin. Ends with the test. */
export async function gateServerForTest(): Promise<GateServer> {
  const liquidations: GateLiquidation[] = [];
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://gate");
    const answer = (body: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json", "x-gate-ratelimit-limit": "200" });
      response.end(JSON.stringify(body));
    };
    if (pathname === "/futures/usdt/contracts") return answer([contract()]);
    if (pathname === "/spot/time") return answer({ server_time: Date.now() });
    if (pathname !== "/futures/usdt/liq_orders")
      return answer(pathname === "/futures/btc/contracts" ? [] : {}, 200);
    asked.push(searchParams);
    const from = Number(searchParams.get("from") ?? 0);
    answer(liquidations.filter(({ time }) => time >= from).map(liqOrder));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const all = Object.fromEntries(SECTIONS.map((section) => [section, base]));
  return { urls: { public: all }, liquidations, asked };
}

const SECTIONS = [
  "wallet",
  "futures",
  "margin",
  "delivery",
  "spot",
  "options",
  "sub_accounts",
  "earn",
  "unified",
];

function liqOrder({ time, size, fillPrice }: GateLiquidation): object {
  return { time, contract: "BTC_USDT", left: 0, size, fill_price: fillPrice, order_price: fillPrice };
}

function contract(): object {
  return {
    name: "BTC_USDT",
    type: "direct",
    quanto_multiplier: "0.0001",
    mark_price: "90000",
    index_price: "90000",
    funding_rate: "0.0001",
    funding_interval: 28_800,
    funding_next_apply: 1_800_000_000,
    order_size_min: 1,
    order_size_max: 1_000_000,
    order_price_round: "0.1",
    mark_price_round: "0.01",
    leverage_min: "1",
    leverage_max: "100",
    maker_fee_rate: "-0.00025",
    taker_fee_rate: "0.00075",
    maintenance_rate: "0.005",
    in_delisting: false,
  };
}
