// `tickwatch alerts ack`: tells the running service that somebody looks after an alert.
import { request } from "undici";
import * as z from "zod";
import { EXIT_CODE, TickwatchError } from "../errors.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";
import { serviceAddress } from "./service_address.ts";

export interface AlertsAckFlags extends GlobalOptions {
  readonly fingerprint: string;
  readonly note?: string;
  readonly by?: string;
}

const Answer = z.object({ rule: z.string(), acknowledgedAt: z.string(), already: z.boolean() });
const Refusal = z.object({ error: z.object({ message: z.string(), hint: z.string().optional() }) });

/** Exit code 1 when there is nothing to acknowledge. */
export async function alertsAck(io: CliIo, flags: AlertsAckFlags): Promise<number> {
  const { config } = configurationFor(io, flags);
  const address = await serviceAddress(io, config);
  const key = config.http.keys[0]?.key;
  const by = flags.by ?? io.env["USER"];
  const body = {
    ...(flags.note === undefined ? {} : { note: flags.note }),
    ...(by === undefined || by === "" ? {} : { by }),
  };
  const answer = await request(`${address}/v1/alerts/${encodeURIComponent(flags.fingerprint)}/ack`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
  }).catch((cause: unknown) => {
    throw new TickwatchError("ENVIRONMENT", `tickwatch does not answer at ${address}: is it running?`, {
      cause,
    });
  });
  const text = await answer.body.text();
  if (answer.statusCode === 200) {
    const { rule, acknowledgedAt, already } = Answer.parse(JSON.parse(text));
    io.out(already ? `${rule} was acknowledged at ${acknowledgedAt}` : `${rule} is acknowledged`);
    return 0;
  }
  io.err(refusalText(text));
  return answer.statusCode === 404 || answer.statusCode === 409 ? 1 : EXIT_CODE.ENVIRONMENT;
}

function refusalText(text: string): string {
  try {
    const { error } = Refusal.parse(JSON.parse(text));
    return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  } catch {
    return text;
  }
}
