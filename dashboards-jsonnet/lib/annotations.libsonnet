// Events that explain a curve: connections lost and found, restarts, deploys.
local config = import '../config.libsonnet';
local sql = import '../queries/annotations.libsonnet';
local target = import 'target.libsonnet';

local entry(name, colour, text, hide=false) = {
  name: name,
  datasource: config.questdb,
  enable: true,
  hide: false,
  iconColor: colour,
  target: target.rows(text, 'Anno'),
};

{
  // Grafana's own, which shows alerts on the panels that they point to.
  alerts: {
    name: 'Annotations & Alerts',
    type: 'dashboard',
    builtIn: 1,
    datasource: { type: 'grafana', uid: '-- Grafana --' },
    enable: true,
    hide: true,
    iconColor: 'rgba(0, 211, 255, 1)',
  },
  // byExchange: the dashboard has the variable exchange.
  connections(byExchange=false): entry('Connections', config.colours.warn, sql.connections(byExchange)),
  // byDaemon: the dashboard has the variable daemon.
  restarts(byDaemon=false): entry('Restarts', config.colours.bad, sql.restarts(byDaemon)),
  deploys(byDaemon=false): entry('Deploys', config.colours.info, sql.deploys(byDaemon)),
}
