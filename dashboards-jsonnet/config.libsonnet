// What an installation may want to change: names of data sources, refresh, default ranges, and the limits at which a
// panel changes its colour. A limit that an alert has too is in alerts.yaml's defaults; keep both alike.
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
    diskUsedBytes: [8 * 1000 * 1000 * 1000, 10 * 1000 * 1000 * 1000],
  },
}
