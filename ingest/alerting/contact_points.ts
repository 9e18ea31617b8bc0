// Contact points and who is told of what. Every alert goes into the history, whatever else becomes of it; then to the
// channels of its severity. Pure.

import type { Environment } from "../config/substitute.ts";
import { type Channel, contactPointName, type Receiver, receiverOf } from "./channels.ts";
import { ESCALATION_RULE } from "./effective_rules.ts";
import { type AlertSettings, CHANNEL_TYPES, type MuteTime } from "./settings.ts";

/** The contact point that writes the history; always there. */
const HISTORY = "tickwatch-history";

/** Channels that can be told, and why the others cannot. */
export interface Reachable {
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** Channel → reason. */
  readonly leftOut: ReadonlyMap<string, string>;
  /** Channels that wake people up. */
  readonly pagers: ReadonlySet<string>;
}

export function reachable(channels: readonly Channel[], env: Environment): Reachable {
  const receivers = new Map<string, Receiver>();
  const leftOut = new Map<string, string>();
  for (const channel of channels) {
    const made = receiverOf(channel, env);
    if ("receiver" in made) receivers.set(channel.name, made.receiver);
    else leftOut.set(channel.name, made.leftOut);
  }
  const pagers = channels.filter(({ type }) => type === "pagerduty" || type === "opsgenie");
  return { receivers, leftOut, pagers: new Set(pagers.map(({ name }) => name)) };
}

/**
 * The history is reached at $TICKWATCH_URL; without that variable the address is no address, and Grafana says so in its
 * log, but it starts. The space behind the key keeps a key of digits a text.
 */
const HISTORY_RECEIVER: Receiver = {
  uid: HISTORY,
  type: "webhook",
  disableResolveMessage: false,
  settings: {
    url: "$TICKWATCH_URL/v1/alerts",
    httpMethod: "POST",
    authorization_scheme: "Bearer",
    authorization_credentials: "$TICKWATCH_API_KEY ",
    title: '{{ template "tickwatch.title" . }}',
    message: '{{ template "tickwatch.text" . }}',
  },
};

/** `formerly`: uids of receivers that an earlier file had; Grafana keeps what no file takes away. */
export function contactPointsFile({ receivers }: Reachable, formerly: readonly string[]): object {
  const points = [HISTORY_RECEIVER, ...receivers.values()];
  const present = new Set(points.map(({ uid }) => uid));
  const past = [...CHANNEL_TYPES.map(contactPointName), ...formerly];
  const gone = [...new Set(past)].filter((uid) => !present.has(uid)).toSorted();
  return {
    apiVersion: 1,
    contactPoints: points.map((receiver) => ({ orgId: 1, name: receiver.uid, receivers: [receiver] })),
    ...(gone.length === 0 ? {} : { deleteContactPoints: gone.map((uid) => ({ orgId: 1, uid })) }),
  };
}

/** Who is told what, by name of channel. */
export interface Told {
  readonly critical: readonly string[];
  readonly warning: readonly string[];
  readonly info: readonly string[];
  readonly escalation: readonly string[];
}

/** Channels that are left out are told nothing; a route that names none takes those that suit it. */
export function toldBy({ routes, escalation }: AlertSettings, { receivers, pagers }: Reachable): Told {
  const all = [...receivers.keys()];
  const quiet = all.filter((name) => !pagers.has(name));
  const loud = all.filter((name) => pagers.has(name));
  const chosen = (names: readonly string[] | undefined, otherwise: readonly string[]) =>
    names === undefined ? otherwise : names.filter((name) => receivers.has(name));
  return {
    critical: chosen(routes.critical.channels, all),
    warning: chosen(routes.warning.channels, quiet),
    info: chosen(routes.info.channels, quiet),
    escalation: escalation.enabled ? chosen(escalation.channels, loud.length > 0 ? loud : all) : [],
  };
}

/** Each alert by itself: what joins a group that was told already would wait for the group's next message. */
const ALONE = ["..."];
const BY_RULE = ["grafana_folder", "alertname"];

export function policiesFile(settings: AlertSettings, told: Told): object {
  const { routes, escalation, muteTimes } = settings;
  const history = { group_by: ALONE, group_wait: "0s", group_interval: "1s", repeat_interval: "1h" };
  const critical = { ...timing(routes.critical), group_by: ALONE };
  return {
    apiVersion: 1,
    policies: [
      {
        orgId: 1,
        receiver: HISTORY,
        ...history,
        routes: [
          { receiver: HISTORY, object_matchers: [["alertname", "=~", ".+"]], ...history, continue: true },
          ...chain(told.escalation, ["alertname", "=", ESCALATION_RULE], {
            ...critical,
            repeat_interval: `${escalation.afterMinutes}m`,
          }),
          ...chain(told.critical, ["severity", "=", "critical"], critical),
          ...chain(told.warning, ["severity", "=", "warning"], {
            ...timing(routes.warning),
            group_by: BY_RULE,
          }),
          ...chain(told.info, ["severity", "=", "info"], { ...timing(routes.info), group_by: BY_RULE }),
        ],
      },
    ],
    ...(muteTimes.length === 0 ? {} : { muteTimes: muteTimes.map(muteTimeEntry) }),
  };
}

type Timing = Readonly<Record<string, string | readonly string[]>>;

function timing({ wait, every, repeat, mute }: AlertSettings["routes"]["critical"]): Timing {
  return {
    group_wait: wait,
    group_interval: every,
    repeat_interval: repeat,
    ...(mute.length === 0 ? {} : { mute_time_intervals: mute }),
  };
}

/** One route per channel; all but the last let the alert go on to the next. */
function chain(channels: readonly string[], matcher: readonly string[], how: Timing): object[] {
  return channels.map((channel, index) => ({
    receiver: contactPointName(channel),
    object_matchers: [matcher],
    ...how,
    continue: index < channels.length - 1,
  }));
}

function muteTimeEntry({ name, weekdays, times, timeZone }: MuteTime): object {
  return {
    orgId: 1,
    name,
    time_intervals: [
      {
        ...(times === undefined
          ? {}
          : { times: times.map(({ from, to }) => ({ start_time: from, end_time: to })) }),
        ...(weekdays === undefined ? {} : { weekdays }),
        location: timeZone,
      },
    ],
  };
}
