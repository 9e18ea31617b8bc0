// Recording of metrics: the only file that knows prom-client. Each Metrics has its own registry, so two pipelines in
// one process (tests) don't mix. Update per batch, not per row.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type MetricDefinition,
} from "./catalog.ts";

export interface Metrics {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void;
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Current value of a counter or gauge summed over the labels not given; for `ingest_health` and tests. */
  total(name: CounterName | GaugeName, labels: Readonly<Record<string, string>>): Promise<number>;
  /** Called before each exposition, to set gauges that are cheaper to ask for than to keep. */
  onScrape(refresh: () => void): void;
  /** Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Stops what watches the process (garbage collector, event loop). */
  close(): void;
}

/** Metrics of one pipeline. `processMetrics` adds prom-client's defaults: CPU, memory, event loop, file descriptors. */
export function createMetrics(options: { readonly processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const refreshes: (() => void)[] = [];
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;
  for (const [name, { kind, help, labels, buckets }] of Object.entries(definitions)) {
    const base = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === "counter") counters.set(name, new Counter(base));
    else if (kind === "gauge") gauges.set(name, new Gauge(base));
    else histograms.set(name, new Histogram({ ...base, ...(buckets ? { buckets: [...buckets] } : {}) }));
  }
  if (options.processMetrics) collectDefaultMetrics({ register: registry });

  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    async total(name, labels) {
      const metric = counters.get(name) ?? gauges.get(name);
      const { values } = (await metric?.get()) ?? { values: [] };
      return values
        .filter((v) => Object.entries(labels).every(([key, wanted]) => v.labels[key] === wanted))
        .reduce((sum, v) => sum + v.value, 0);
    },
    onScrape: (refresh) => void refreshes.push(refresh),
    async text() {
      for (const refresh of refreshes) refresh();
      return registry.metrics();
    },
    contentType: registry.contentType,
    close: () => registry.clear(),
  };
}
