// How values and limits read, by unit. A value is written by Grafana when it fires, from a Go template; a limit is known
// now. Pure.
import type { CatalogueRule } from "./catalogue.ts";

type Unit = CatalogueRule["unit"];

/** The template that writes the value of a rule; empty when it has nothing to say. Without data there is no value. */
export function valueTemplate(unit: Unit): string {
  const words = valueWords(unit);
  return words === "" ? "" : `{{ with $values.A }}${words}{{ end }}`;
}

function valueWords(unit: Unit): string {
  switch (unit) {
    case "seconds":
      return "{{ humanizeDuration .Value }}";
    case "milliseconds":
      return '{{ printf "%.0f" .Value }} ms';
    case "bytes":
      return "{{ humanize1024 .Value }}B";
    case "fraction":
      return "{{ humanizePercentage .Value }}";
    case "percent":
      return '{{ printf "%.0f" .Value }} %';
    case "count":
      return '{{ printf "%.0f" .Value }}';
    case "factor":
      return '{{ printf "%.1f" .Value }} times';
    case "flag":
      return "";
  }
}

/** `above 5m`, `below -5 %`; empty for a rule that is on or off. */
export function limitText({
  unit,
  op,
  at,
  fixed,
}: Pick<CatalogueRule, "unit" | "op" | "at" | "fixed">): string {
  if (fixed) return "";
  return `${op === "gt" ? "above" : "below"} ${numberText(unit, at)}`;
}

function numberText(unit: Unit, value: number): string {
  switch (unit) {
    case "seconds":
      return secondsText(value);
    case "milliseconds":
      return `${value} ms`;
    case "bytes":
      return bytesText(value);
    case "fraction":
      return `${round(value * 100)} %`;
    case "percent":
      return `${value} %`;
    case "count":
    case "flag":
      return String(value);
    case "factor":
      return `${value} times`;
  }
}

function secondsText(seconds: number): string {
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function bytesText(bytes: number): string {
  const power = bytes === 0 ? 0 : Math.min(BINARY.length - 1, Math.floor(Math.log2(Math.abs(bytes)) / 10));
  return `${round(bytes / 1024 ** power)} ${BINARY[power]}`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
