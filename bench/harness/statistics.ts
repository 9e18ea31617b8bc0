// The few statistics that results need. Pure.

/** The middle of the values (the lower one of two), or null when there are none. */
export function median(values: readonly number[]): number | null {
  return percentile(values, 0.5);
}

/** The value below which the share `q` of the values lies (nearest rank), or null when there are none. */
export function percentile(values: readonly number[], q: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[rank - 1] ?? null;
}

/** How far the runs lie apart: (largest − smallest) ÷ median, or null when that means nothing. */
export function spreadOf(values: readonly number[]): number | null {
  const middle = median(values);
  if (middle === null || middle === 0 || values.length < 2) return null;
  return (Math.max(...values) - Math.min(...values)) / Math.abs(middle);
}

/** Slope of a straight line through points that lie `stepS` seconds apart, in units a minute (least squares). */
export function slopePerMinute(values: readonly number[], stepS: number): number {
  const n = values.length;
  if (n < 2) return 0;
  const meanX = (n - 1) / 2;
  const meanY = values.reduce((sum, y) => sum + y, 0) / n;
  let above = 0;
  let below = 0;
  for (const [x, y] of values.entries()) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return (above / below / stepS) * 60;
}
