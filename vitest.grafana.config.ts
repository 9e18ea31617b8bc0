// The suite on a real Grafana and a real browser: `npm run test:grafana`, no part of `npm test`. One file after the
// other, because they measure.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "grafana",
    include: ["test/grafana/**/*.test.ts"],
    setupFiles: ["test/support/leaks.ts"],
    pool: "forks",
    fileParallelism: false,
    retry: 0,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
