// The part of Grafana's HTTP API that test messages need: contact points, and a test of one. Grafana 13 has it under
// /apis in two versions; before that the test was another address, which is tried when the first is not there.
import { request } from "undici";
import * as z from "zod";
import { messageOf, TickwatchError } from "../errors.ts";

export interface GrafanaAccess {
  /** Without a slash at the end. */
  readonly url: string;
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
}

const Integration = z.object({
  uid: z.string().optional(),
  type: z.string(),
  version: z.string().optional(),
  disableResolveMessage: z.boolean().optional(),
  settings: z.record(z.string(), z.unknown()),
  secureFields: z.record(z.string(), z.boolean()).nullish(),
});

const Receivers = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ title: z.string(), integrations: z.array(Integration).nullish() }),
    }),
  ),
});

export interface ContactPoint {
  /** As people know it. */
  readonly title: string;
  /** Addresses of its test, with and without /apis. */
  readonly testPath: string;
  readonly integrations: readonly z.output<typeof Integration>[];
}

export interface TestAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `failed` in Grafana's words. */
export type Delivery = { readonly ok: true } | { readonly ok: false; readonly failed: string };

const GROUP = "/apis/notifications.alerting.grafana.app";
const VERSIONS = ["v1beta1", "v0alpha1"] as const;
const LEGACY_TEST = "/api/alertmanager/grafana/config/api/v1/receivers/test";

/** Grafana gives a channel up after half a minute. */
const ANSWER_MS_MAX = 45_000;

/** All contact points. Throws ENVIRONMENT when Grafana does not answer, refuses the login or is too old. */
export async function listContactPoints(access: GrafanaAccess): Promise<readonly ContactPoint[]> {
  for (const version of VERSIONS) {
    const path = `${GROUP}/${version}/namespaces/default/receivers`;
    const { status, body } = await ask(access, path);
    if (status === 404) continue;
    if (status !== 200) throw refused(access, status, body);
    return Receivers.parse(body).items.map(({ metadata, spec }) => ({
      title: spec.title,
      testPath: `${path}/${encodeURIComponent(metadata.name)}/test`,
      integrations: spec.integrations ?? [],
    }));
  }
  throw new TickwatchError("ENVIRONMENT", `Grafana at ${access.url} is too old: this needs 12.3 or later`);
}

const Tested = z.object({ status: z.enum(["success", "failure"]), error: z.string().optional() });

/** Sends one test message to each integration of the contact point, and waits for it to be delivered. Throws as above. */
export async function testContactPoint(
  access: GrafanaAccess,
  point: ContactPoint,
  alert: TestAlert,
): Promise<Delivery> {
  for (const integration of point.integrations) {
    const { status, body } = await ask(access, point.testPath, { integration, alert });
    if (status === 404 || status === 405) return await testAsBefore(access, point, alert);
    if (status === 401 || status === 403) throw refused(access, status, body);
    if (status !== 200) return { ok: false, failed: problemOf(status, body) };
    const result = Tested.parse(body);
    if (result.status === "failure") return { ok: false, failed: result.error ?? "no reason is given" };
  }
  return { ok: true };
}

const TestedBefore = z.object({
  receivers: z.array(
    z.object({
      grafana_managed_receiver_configs: z.array(
        z.object({ status: z.string(), error: z.string().optional() }),
      ),
    }),
  ),
});

async function testAsBefore(
  access: GrafanaAccess,
  { title, integrations }: ContactPoint,
  alert: TestAlert,
): Promise<Delivery> {
  const configs = integrations.map((one) => ({ ...one, name: title }));
  const receivers = [{ name: title, grafana_managed_receiver_configs: configs }];
  const { status, body } = await ask(access, LEGACY_TEST, { receivers, alert });
  const results = TestedBefore.safeParse(body);
  if (!results.success) return { ok: false, failed: problemOf(status, body) };
  const failed = results.data.receivers
    .flatMap((one) => one.grafana_managed_receiver_configs)
    .find((one) => one.status !== "ok");
  return failed === undefined ? { ok: true } : { ok: false, failed: failed.error ?? failed.status };
}

interface Answer {
  readonly status: number;
  /** JSON, or the text when it is none. */
  readonly body: unknown;
}

async function ask({ url, authorization }: GrafanaAccess, path: string, body?: object): Promise<Answer> {
  try {
    const answer = await request(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headersTimeout: ANSWER_MS_MAX,
      bodyTimeout: ANSWER_MS_MAX,
    });
    return { status: answer.statusCode, body: parsed(await answer.body.text()) };
  } catch (cause) {
    const message = `Grafana does not answer at ${url} (${messageOf(cause)}): start it, or set grafana.url in alerts.yaml`;
    throw new TickwatchError("ENVIRONMENT", message, { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refused({ url }: GrafanaAccess, status: number, body: unknown): TickwatchError {
  if (status === 401 || status === 403) {
    const message = `Grafana at ${url} refuses this login (${status}): set GRAFANA_TOKEN to a service account's token with the role Editor, or GRAFANA_ADMIN_PASSWORD`;
    return new TickwatchError("ENVIRONMENT", message);
  }
  return new TickwatchError("ENVIRONMENT", `Grafana at ${url} answers ${problemOf(status, body)}`);
}

const Words = z.object({ message: z.string() });

function problemOf(status: number, body: unknown): string {
  const words = Words.safeParse(body);
  const text = words.success ? words.data.message : typeof body === "string" ? body.slice(0, 300) : "";
  return text === "" ? String(status) : `${status}: ${text}`;
}
