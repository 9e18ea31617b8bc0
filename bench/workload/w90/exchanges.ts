// The five exchanges of the reference workload, by CCXT id.

export const EXCHANGES = ["binanceusdm", "okx", "bybit", "bitget", "gate"] as const;
