// `tickwatch notify test`: lets Grafana send a test message to every channel, or to one, and says which of them arrived.
import { nearNames } from "../../schema/near_names.ts";
import { readCatalogue } from "../alerting/catalogue.ts";
import { withEnvFile } from "../alerting/env_file.ts";
import { type ContactPoint, listContactPoints, testContactPoint } from "../alerting/grafana_api.ts";
import { loadAlertSettings } from "../alerting/load.ts";
import { channelName, grafanaAccess, TEST_ALERT } from "../alerting/test_message.ts";
import { TickwatchError } from "../errors.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface NotifyTestFlags extends GlobalOptions {
  /** Name in alerts.yaml, or `history`. */
  readonly channel?: string;
}

/** Here `--config` names alerts.yaml. Exit code 1 when a message did not arrive. */
export async function notifyTest(io: CliIo, { config, channel }: NotifyTestFlags): Promise<number> {
  const { settings } = loadAlertSettings(config, io.cwd, readCatalogue());
  const access = grafanaAccess(settings, withEnvFile(io.env, io.cwd));
  const points = chosen(await listContactPoints(access), channel);
  let failures = 0;
  for (const point of points) {
    const result = await testContactPoint(access, point, TEST_ALERT);
    const name = channelName(point) ?? point.title;
    if (!result.ok) failures += 1;
    io.out(`${name}: ${result.ok ? "delivered" : `not delivered: ${result.failed}`}`);
  }
  return failures > 0 ? 1 : 0;
}

function chosen(points: readonly ContactPoint[], channel: string | undefined): readonly ContactPoint[] {
  const ours = points.filter((point) => channelName(point) !== undefined);
  if (ours.length === 0) {
    throw new TickwatchError(
      "ENVIRONMENT",
      "Grafana has no contact point of tickwatch: run `npm run alerts`, and let Grafana read the files again",
    );
  }
  if (channel === undefined) return ours;
  const found = ours.filter((point) => channelName(point) === channel);
  if (found.length > 0) return found;
  const names = ours.map((point) => channelName(point) ?? "");
  const [near] = nearNames(channel, names);
  const hint = near === undefined ? `there is ${names.join(", ")}` : `did you mean ${near}?`;
  throw new TickwatchError(
    "USAGE",
    `Grafana has no channel ${JSON.stringify(channel)}; ${hint} One whose variables are not set is left out by \`npm run alerts\`.`,
  );
}
