// Loaded into the service before itself (node --import): its wall clock is ahead of the system's by as many milliseconds
// as the file says that TEST_FAULT_CLOCK names, from the moment it is written. What never steps does not step here either.
import { readFileSync } from "node:fs";

const path = process.env.TEST_FAULT_CLOCK;
const trueNow = Date.now.bind(Date);
const TrueDate = Date;

function now() {
  try {
    return trueNow() + Number(readFileSync(path, "utf8"));
  } catch {
    return trueNow();
  }
}

globalThis.Date = class extends TrueDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }

  static now() {
    return now();
  }
};
