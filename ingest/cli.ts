// The command line: which commands there are, and what becomes of an error. Each action is a file in cli/, imported
// when it is called, so that `--version` and `--help` answer at once. Ends nothing: exit codes are returned to main.ts.
import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { CliIo, GlobalOptions } from "./cli/io.ts";
import { readVersion } from "./cli/version.ts";
import { EXIT_CODE, messageOf, TickwatchError } from "./errors.ts";

const EXAMPLES = `
Examples:
  tickwatch start                          find or start QuestDB, record the configured exchanges, open the gateway
  tickwatch demo                           the same against simulated exchanges and a simulated trading daemon
  tickwatch start --config desk.yaml       with a configuration file
  tickwatch check-config                   what is in effect, and where each value comes from
  tickwatch doctor                         what is well, what is not, and what to do about it

Exit codes: 0 done, 1 failed, 2 mistake in the configuration or the command, 3 something is missing or in use,
4 tables differ from the schema, 5 QuestDB does not answer, 6 another process uses the data folder.`;

/** Runs one command line (without the program's name) and resolves with its exit code. Never rejects. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageExitCode(error);
    io.err(errorText(error, await wantsStack(io, program.opts())));
    return error instanceof TickwatchError ? EXIT_CODE[error.code] : 1;
  }
}

type Action = (options: GlobalOptions & Record<string, unknown>) => Promise<number>;

function buildProgram(io: CliIo, done: (code: number) => void): Command {
  const program = new Command("tickwatch")
    .description("Writes everything that happens in a trading system into QuestDB.")
    .option("-c, --config <path>", "configuration file (YAML or JSON)")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print what a command does")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  const action = (run: Action) => async (_: unknown, command: Command) => {
    done(await run(command.optsWithGlobals()));
  };
  addServiceCommands(program, io, action);
  addDemoParts(program, io, action);
  addInspectionCommands(program, io, action);
  addStorageCommands(program, io, action);
  addAlertCommands(program, io, action);
  addNotifyCommands(program, io, action);
  return program;
}

type WithAction = (run: Action) => (options: unknown, command: Command) => Promise<void>;

function addServiceCommands(program: Command, io: CliIo, action: WithAction): void {
  program
    .command("start")
    .description("record: find or start QuestDB, connect to the exchanges, open the gateway")
    .action(action(async (options) => (await import("./cli/start.ts")).start(io, options, false)));
  program
    .command("demo")
    .description("the same against simulated exchanges and a simulated trading daemon")
    .action(action(async (options) => (await import("./cli/start.ts")).start(io, options, true)));
}

/** Parts of the demo that are processes of their own. */
function addDemoParts(program: Command, io: CliIo, action: WithAction): void {
  program
    .command("simulator", { hidden: true })
    .description("simulated exchanges (binanceusdm, okx) alone")
    .option("--port <port>", "port to listen on; 0 for any", wholeNumber, 0)
    .option("--seed <seed>", "same seed, same market", wholeNumber)
    .action(
      action(async ({ port, seed }) =>
        (await import("./cli/simulator.ts")).simulator(io, {
          port: Number(port),
          seed: optionalNumber(seed),
        }),
      ),
    );
  program
    .command("trading-daemon", { hidden: true })
    .description("simulated trading daemon; an API key is taken from TICKWATCH_API_KEY")
    .requiredOption("--gateway <url>", "where tickwatch listens, such as http://127.0.0.1:8080")
    .option("--seed <seed>", "same seed, same trades", wholeNumber)
    .action(
      action(async ({ gateway, seed }) =>
        (await import("./cli/trading_daemon.ts")).tradingDaemon(io, {
          gateway: String(gateway),
          seed: optionalNumber(seed),
        }),
      ),
    );
}

function addInspectionCommands(program: Command, io: CliIo, action: WithAction): void {
  program
    .command("migrate")
    .description("create missing tables, apply migrations, report what differs from the schema")
    .action(action(async (options) => (await import("./cli/migrate.ts")).migrate(io, options)));
  program
    .command("doctor")
    .description("check this machine, QuestDB, its tables and the exchanges; say what to do")
    .option("--json", "one JSON object per check")
    .action(
      action(async ({ json, ...options }) =>
        (await import("./cli/doctor.ts")).doctor(io, { ...options, json: json === true }),
      ),
    );
  program
    .command("check-config")
    .description("print the configuration in effect, without secrets, or every mistake in it")
    .action(action(async (options) => (await import("./cli/check_config.ts")).checkConfig(io, options)));
}

/** What lies on disk: rows that wait, rows that were refused, and the account of all rows. */
function addStorageCommands(program: Command, io: CliIo, action: WithAction): void {
  program
    .command("verify")
    .description("account for every accepted row: stored, dead-lettered, waiting, or missing")
    .option("--from <time>", "only rows with a ts from then on: 2026-11-21T10:00:00Z, or -1h for an hour ago")
    .option("--to <time>", "only rows with a ts before that")
    .option("--table <table>", "only this table")
    .option("--keys", "compare every key, also where the counts agree")
    .option("--strict", "rows that others wrote into the tables are a failure, too")
    .option("--examples <rows>", "name so many rows of each kind of trouble and table", wholeNumber, 5)
    .option("--json", "one JSON object")
    .option("--demo", "of the demo")
    .action(
      action(async ({ examples, ...options }) =>
        (await import("./cli/verify.ts")).verify(io, { ...options, examples: Number(examples) }),
      ),
    );
  const spool = program.command("spool").description("rows that wait on disk for QuestDB");
  spool
    .command("list")
    .description("segments, and rows waiting by table")
    .option("--demo", "of the demo")
    .action(action(async (options) => (await import("./cli/spool.ts")).spoolList(io, options)));
  spool
    .command("show")
    .description("the rows themselves, one JSON object a line")
    .option("--table <table>", "only of this table")
    .option("--limit <rows>", "so many at most", wholeNumber, 100)
    .option("--all", "delivered rows that are still on disk as well")
    .option("--demo", "of the demo")
    .action(action(async (options) => (await import("./cli/spool.ts")).spoolShow(io, options)));
  const deadLetter = program.command("dead-letter").description("rows that were refused, and why");
  deadLetter
    .command("list")
    .description("counts by table and reason")
    .option("--table <table>", "only of this table")
    .option("--reason <reason>", "only with this reason")
    .option("--rows", "the entries themselves, one JSON object a line")
    .option("--demo", "of the demo")
    .action(action(async (options) => (await import("./cli/dead_letter.ts")).deadLetterList(io, options)));
  deadLetter
    .command("replay")
    .description("let the running service take them in again, after their cause is mended")
    .option("--table <table>", "only of this table")
    .option("--reason <reason>", "only with this reason")
    .action(action(async (options) => (await import("./cli/dead_letter.ts")).deadLetterReplay(io, options)));
}

function addAlertCommands(program: Command, io: CliIo, action: WithAction): void {
  const alerts = program.command("alerts").description("alerts of Grafana: their rules, their history");
  alerts
    .command("generate")
    .description("write what Grafana reads, from alerts.yaml and the variables that are set")
    .option("-c, --config <path>", "alerts.yaml; left out: the one in this folder, if there is one")
    .option("--out <folder>", "where Grafana looks for it", "provisioning/alerting")
    .action(
      action(async ({ out, ...options }) =>
        (await import("./cli/alerts_generate.ts")).alertsGenerate(io, { ...options, out: String(out) }),
      ),
    );
  alerts
    .command("list")
    .description("the alerts that fire, with their fingerprints")
    .option("--all", "those that are over as well")
    .option("--limit <alerts>", "of so many that changed last", wholeNumber, 1000)
    .option("--json", "one JSON object a line")
    .action(
      action(async ({ limit, ...options }) =>
        (await import("./cli/alerts_list.ts")).alertsList(io, { ...options, limit: Number(limit) }),
      ),
    );
  alerts
    .command("ack")
    .description("say that somebody looks after an alert, so that nobody else is told")
    .argument("<fingerprint>", "as `alerts list` and the messages show it")
    .option("--note <text>", "what you do about it")
    .option("--by <name>", "who you are; left out: $USER")
    .action(async (fingerprint: string, _: unknown, command: Command) => {
      await action(async (options) =>
        (await import("./cli/alerts_ack.ts")).alertsAck(io, { ...options, fingerprint }),
      )(_, command);
    });
}

function addNotifyCommands(program: Command, io: CliIo, action: WithAction): void {
  const notify = program.command("notify").description("messages about alerts");
  notify
    .command("test")
    .description("let Grafana send a test message to every channel, and say which arrived")
    .option("-c, --config <path>", "alerts.yaml; left out: the one in this folder, if there is one")
    .option("--channel <name>", "only this one")
    .action(action(async (options) => (await import("./cli/notify_test.ts")).notifyTest(io, options)));
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** Help and version are no errors; everything else that commander refuses is a mistake in the command. */
function usageExitCode(error: CommanderError): number {
  const asked = ["commander.helpDisplayed", "commander.version"].includes(error.code);
  return asked ? 0 : EXIT_CODE.USAGE;
}

/** Messages are written for people; the stack is for who asks for it with log level debug. */
function errorText(error: unknown, withStack: boolean): string {
  if (withStack && error instanceof Error) {
    const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
    return `${stackOf(error)}${cause}`;
  }
  return messageOf(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A configuration that cannot be loaded asks for nothing: its mistakes are the message. */
async function wantsStack(io: CliIo, options: GlobalOptions): Promise<boolean> {
  try {
    const { configurationFor } = await import("./cli/configuration.ts");
    return configurationFor(io, options).config.log.level === "debug";
  } catch {
    return false;
  }
}
