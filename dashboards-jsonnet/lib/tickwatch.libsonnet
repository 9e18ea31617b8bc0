// What a dashboard imports: the face of this folder.
{
  config: import '../config.libsonnet',
  dashboard: import 'dashboard.libsonnet',
  panel: import 'panel.libsonnet',
  row: (import 'layout.libsonnet').row,
  thresholds: import 'thresholds.libsonnet',
  variables: import 'variables.libsonnet',
  annotations: import 'annotations.libsonnet',
  series: (import 'target.libsonnet').series,
  rows: (import 'target.libsonnet').rows,
}
