// A local receiver of Grafana's notifications: what came, and when.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";

const Notice = z.object({
  status: z.string(),
  /** What a person reads. */
  message: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(["firing", "resolved"]),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      startsAt: z.string(),
      endsAt: z.string(),
      fingerprint: z.string(),
      dashboardURL: z.string().optional(),
      panelURL: z.string().optional(),
      valueString: z.string().optional(),
    }),
  ),
});

type AlertNotice = z.output<typeof Notice>["alerts"][number];

/** One alert of one notification. */
export interface Received extends AlertNotice {
  /** performance.now() when it had arrived. */
  readonly atMs: number;
  /** The text of the whole notification. */
  readonly message: string;
}

export interface Webhook {
  readonly url: string;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

/** Listens on a free port of this machine. */
export async function startWebhook(): Promise<Webhook> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const done = (status: number) => {
      response.writeHead(status);
      response.end();
    };
    text(request).then(
      (body) => {
        const atMs = performance.now();
        const notice = Notice.safeParse(JSON.parse(body));
        if (!notice.success) return done(400);
        const { alerts, message } = notice.data;
        received.push(...alerts.map((alert) => ({ ...alert, atMs, message })));
        done(204);
      },
      () => done(400),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
