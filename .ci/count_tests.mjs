// Prints what a test run came to, as three numbers: passed, failed, skipped. A file that fails beside its tests (a leak,
// an import that throws) counts as one, and so does a run that failed for any other reason or left no report.
import { readFileSync } from "node:fs";

const [path = "", exitCode = ""] = process.argv.slice(2);

function count() {
  const report = JSON.parse(readFileSync(path, "utf8"));
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exitCode !== "0" || report.numPassedTests === 0) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function countOrFail() {
  try {
    return count();
  } catch (error) {
    console.error(`no report of the tests: ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const { passed, failed, skipped } = countOrFail();
console.log(passed, failed, skipped);
