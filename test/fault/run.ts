// The long form of the fault suite: npm run test:fault -- --minutes 10 --seed 7 [--kills 200] [--fuzz 1000000] [FILE …]
// Prints the seed before and behind everything else, and what was done in numbers at the end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    kills: { type: "string", default: "200" },
    fuzz: { type: "string", default: "1000000" },
  },
});

for (const [name, value] of Object.entries(values)) {
  if (!(Number(value) > 0)) throw new RangeError(`--${name} is a number greater than 0, not ${value}`);
}

const form = `seed ${values.seed}: ${values.minutes} min of random combinations, ${values.kills} kills, ${values.fuzz} mutated inputs for each parser`;
console.log(form);
const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-figures-"));
const figures = join(folder, "figures.ndjson");
const sinceMs = performance.now();
const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
const child = spawn(process.execPath, [vitest, "run", "--project", "fault", ...positionals], {
  cwd: ROOT,
  stdio: "inherit",
  env: {
    ...process.env,
    TEST_FAULT_MINUTES: values.minutes,
    TEST_FAULT_SEED: values.seed,
    TEST_FAULT_KILLS: values.kills,
    TEST_FAULT_FUZZ: values.fuzz,
    TEST_FAULT_FIGURES: figures,
  },
});
const [code] = await once(child, "close");
console.log(`${form}; ${Math.round((performance.now() - sinceMs) / 1_000)} s`);
for (const line of (await readFile(figures, "utf8").catch(() => "")).split("\n").slice(0, -1)) {
  const { what, ...numbers } = JSON.parse(line);
  const told = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  console.log(`${what}: ${told.join(", ")}`);
}
await rm(folder, { recursive: true });
process.exitCode = code ?? 1;
