// Waiting in tests: for a condition, with a deadline that a loaded machine keeps too.
import { vi } from "vitest";

/** Resolves with what `check` returns once it does not throw any more; after ten seconds it fails as `check` does. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}
