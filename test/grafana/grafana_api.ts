// What the suite asks of a Grafana over HTTP, as the administrator.
import * as z from "zod";

const Rules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        interval: z.number(),
        rules: z.array(
          z.object({
            uid: z.string(),
            name: z.string(),
            state: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            lastEvaluation: z.string().optional(),
            isPaused: z.boolean().optional(),
          }),
        ),
      }),
    ),
  }),
});

/** A rule as Grafana evaluates it. */
export type RuleState = z.output<typeof Rules>["data"]["groups"][number]["rules"][number] & {
  readonly group: string;
  readonly intervalS: number;
};

const Frame = z.object({
  schema: z.object({ fields: z.array(z.object({ name: z.string(), type: z.string().optional() })) }),
  data: z.object({ values: z.array(z.array(z.unknown())) }),
});

export const QueryAnswer = z.object({
  results: z.record(
    z.string(),
    z.object({
      status: z.number().optional(),
      error: z.string().optional(),
      frames: z.array(Frame).optional(),
    }),
  ),
});
export type QueryAnswer = z.output<typeof QueryAnswer>;

const FolderChild = z.object({
  uid: z.string(),
  title: z.string(),
  type: z.string(),
  folderTitle: z.string().optional(),
});

/** A session with one Grafana. */
export class GrafanaApi {
  readonly url: string;
  readonly #session: string;

  private constructor(url: string, session: string) {
    this.url = url;
    this.#session = session;
  }

  static async login(url: string, user: string, password: string): Promise<GrafanaApi> {
    const answer = await fetch(`${url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user, password }),
    });
    const cookie = answer.headers.getSetCookie().find((text) => text.startsWith("grafana_session="));
    if (!answer.ok || cookie === undefined)
      throw new Error(`Grafana takes no login: ${answer.status} ${await answer.text()}`);
    return new GrafanaApi(url, /=([^;]*)/.exec(cookie)?.[1] ?? "");
  }

  /** For the browser. */
  get cookies() {
    return [{ name: "grafana_session", value: this.#session, url: this.url }];
  }

  async get(path: string): Promise<unknown> {
    return await this.#call("GET", path);
  }

  async post(path: string, body: object): Promise<unknown> {
    return await this.#call("POST", path, body);
  }

  /** All dashboards with their folders. */
  async dashboards() {
    return z.array(FolderChild).parse(await this.get("/api/search?type=dash-db&limit=500"));
  }

  /** Answers of one request to the data sources; errors of single queries are in it. */
  async query(body: object): Promise<QueryAnswer> {
    const answer = await fetch(`${this.url}/api/ds/query`, this.#init("POST", body));
    return QueryAnswer.parse(await answer.json());
  }

  async rules(): Promise<RuleState[]> {
    const { data } = Rules.parse(await this.get("/api/prometheus/grafana/api/v1/rules"));
    return data.groups.flatMap(({ name, interval, rules }) =>
      rules.map((rule) => ({ ...rule, group: name, intervalS: interval })),
    );
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${this.url}${path}`, this.#init(method, body));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  #init(method: string, body?: object): RequestInit {
    return {
      method,
      headers: { cookie: `grafana_session=${this.#session}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    };
  }
}
