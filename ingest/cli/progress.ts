// Progress of long steps: a spinner for a person at a terminal, one line per step for everything else.
import type { CliIo } from "./io.ts";

export interface Progress {
  /** What is being done now. */
  step(message: string): void;
  /** Takes the spinner away. Safe to call twice; must be called before the process waits for anything else. */
  end(): void;
}

export async function showProgress(io: CliIo): Promise<Progress> {
  if (!io.interactive) return { step: (message) => io.err(message), end: () => undefined };
  const { default: ora } = await import("ora");
  // stdin stays as it is: taking it over would put the terminal into raw mode, where Ctrl-C is no signal.
  const spinner = ora({ discardStdin: false, stream: process.stderr });
  return {
    step(message) {
      if (spinner.isSpinning) spinner.text = message;
      else spinner.start(message);
    },
    end: () => void spinner.stop(),
  };
}
