// Unit tests need no server; integration tests share one real QuestDB. Nothing is ever tried a second time: a test that
// fails now and then has something to say. Deadlines are those of a loaded machine with two cores.
import { defineConfig } from "vitest/config";

const shared = { pool: "forks" as const, setupFiles: ["test/support/leaks.ts"], retry: 0 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/questdb_for_run.ts"],
          // These wait more than they compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          globalSetup: ["test/support/questdb_for_run.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
