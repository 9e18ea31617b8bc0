// What an installation may want to change: names of data sources, refresh, default ranges, and the limits at which a
// panel changes its colour. Where an alert has the same limit it is the alert's.
local alarm = import 'alerts/thresholds.libsonnet';

{
  folder: 'tickwatch',
  tag: 'tickwatch',

  questdb: { type: 'questdb-questdb-datasource', uid: 'questdb' },
  prometheus: { type: 'prometheus', uid: 'prometheus' },

  // Empty: the time zone that the viewer chose in the profile, or else the server's default, which the provisioned
  // Grafana sets to UTC. A fixed 'utc' here would overrule the viewer.
  timezone: '',

  // A range up to this many hours is read from the tables, a longer one from rollups.
  rawHoursMax: 24,

  // Seconds between two rows of a series, as the pipeline is configured by default.
  slotS: { open_interest: 60, funding_rates: 300 },

  // From fewer returns no Sharpe ratio is computed.
  returnsMin: 30,

  // Named colours of Grafana, which it shades for the light and the dark theme.
  colours: {
    good: 'green',
    warn: 'orange',
    bad: 'red',
    idle: '#8e8e8e',
    info: 'blue',
    base: 'text',
  },

  // Where alerts begin, by rule.
  alerts: import 'alerts/thresholds.libsonnet',

  // [warn, bad]; whether more or less is worse is said where they are used.
  limits: {
    daemonSilentS: [30, 60],
    rssBytes: [512 * 1024 * 1024, 1024 * 1024 * 1024],
    cpuPercent: [70, 90],
    eventLoopLagMs: [50, 200],
    restarts: [1, 3],
    errors: [1, 10],
    successRate: [1 - alarm.ApiErrorRateHigh.back, 1 - alarm.ApiErrorRateHigh.at],
    errorRate: [alarm.ApiErrorRateHigh.back, alarm.ApiErrorRateHigh.at],
    fetchesShare: [0.9, alarm.FetchesBelowExpected.at],
    fetchMs: [1000, 5000],
    rowsShare: [0.99, 0.95],
    gaps: [1, 5],
    missedSlots: [2, alarm.FeedStale.at],
    liquidationsPerMinute: [alarm.LiquidationBurst.back, alarm.LiquidationBurst.at],
    queryableMs: [350, 1000],
    pendingMs: [1000, alarm.IngestLagHigh.at],
    spoolBytes: [alarm.SpoolGrowing.back, alarm.SpoolGrowing.at],
    rowsLost: [1, 100],
    restLatencyMs: [300, 1000],
    clockSkewMs: [alarm.ClockSkew.back, alarm.ClockSkew.at],
    silenceMs: [30 * 1000, 120 * 1000],
    rateLimitShare: [0.7, alarm.RateLimitNearLimit.at],
    downtimeS: [60, alarm.ExchangeDown5m.at],
    availability: [0.999, 0.99],
    lagTxns: [100, 1000],
    pendingRows: [100000, 1000000],
    marksAgeS: [30, 60],
    drawdown: [-0.02, alarm.DrawdownHigh.at],
    sharpe: [1, 0],
    winRate: [0.5, alarm.WinRateLow.at],
    fillRate: [0.6, 0.3],
    rejectedShare: [0.02, 0.05],
    executionLatencyMs: [1000, alarm.ExecutionLatencyHigh.at],
    marginRatio: [0.5, 1 - alarm.MarginRatioLow.at],
    liquidationDistance: [0.1, alarm.LiquidationNear.at],
    leverage: [2, alarm.ExposureHigh.at],
    capitalUtilization: [0.5, 0.8],
    valueAtRisk: [0.02, 0.05],
    fundingRate8h: [0.0003, 0.001],
    notifyS: [15, 60],
    diskUsedBytes: [8 * 1000 * 1000 * 1000, 10 * 1000 * 1000 * 1000],
  },
}
