// QuestDB's version numbers: which one is started, which is the oldest that works, and how two compare. Pure.

/** The version that is started when nothing else is asked for. */
export const QUESTDB_VERSION = "9.3.4";

/** The oldest version tickwatch is tested against. */
export const QUESTDB_VERSION_MIN = "9.2.3";

/** Negative when `a` is older than `b`, 0 when equal. Only the three numbers count: "9.3.4-SNAPSHOT" equals "9.3.4". */
export function compareVersions(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match === null ? [] : match.slice(1).map((part) => Number(part ?? 0));
}
