// Where alerts begin, by rule; panels draw their thresholds from here as well. alerts.yaml overrides them for the alerts.
// `at` fires, `back` is where a flickering value counts as well again. Units are those of the rule's value.
{
  // Seconds.
  ExchangeDown5m: { at: 300 },
  DaemonDown: { at: 30 },
  DataGapOpen: { at: 300 },
  // Intervals in which a row should have come, and none did.
  FeedStale: { at: 3 },
  // Fractions.
  ApiErrorRateHigh: { at: 0.1, back: 0.05 },
  FetchesBelowExpected: { at: 0.5, back: 0.7 },
  RateLimitNearLimit: { at: 0.9, back: 0.8 },
  DiskSpaceLow: { at: 0.1, back: 0.12 },
  DrawdownHigh: { at: -0.05, back: -0.04 },
  WinRateLow: { at: 0.4, back: 0.45 },
  MarginRatioLow: { at: 0.2, back: 0.25 },
  LiquidationNear: { at: 0.05, back: 0.07 },
  // Per minute and exchange.
  LiquidationBurst: { at: 300, back: 100 },
  // Milliseconds.
  ClockSkew: { at: 1000, back: 500 },
  EventLoopLag: { at: 200, back: 100 },
  IngestLagHigh: { at: 10000, back: 5000 },
  ExecutionLatencyHigh: { at: 5000, back: 4000 },
  // Bytes.
  MemoryHigh: { at: 1073741824, back: 943718400 },
  SpoolGrowing: { at: 67108864, back: 16777216 },
  StorageBudget: { at: 10000000000, back: 9000000000 },
  // Percent of one core.
  CpuHigh: { at: 90, back: 70 },
  // How many, within the rule's time.
  DaemonRestartLoop: { at: 2 },
  RowsRejected: { at: 0 },
  DeadLetters: { at: 0 },
  OrderRejects: { at: 3 },
  SystemError: { at: 0 },
  // Seconds; alerts.yaml sets it as escalation.afterMinutes.
  AlertUnacknowledged: { at: 900 },
  // Notional value of all positions ÷ balance.
  ExposureHigh: { at: 3, back: 2.5 },
}
