// One page of the browser: go somewhere, ask, look, and hear what it asked the server and complained about.
import * as z from "zod";
import type { DevTools } from "./devtools.ts";

export interface PageOptions {
  readonly width: number;
  readonly height: number;
  /** As a phone: touch, and the viewport of a small screen. */
  readonly mobile?: boolean;
  readonly cookies?: readonly { readonly name: string; readonly value: string; readonly url: string }[];
  /** Runs in every document before anything else. */
  readonly script?: string;
}

/** A request that the page made, with its answer. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestBody: string | undefined;
  status: number | undefined;
  /** Why there was no answer. */
  failure: string | undefined;
  readonly requestId: string;
}

const Nothing = z.object({});
const Sent = z.object({
  requestId: z.string(),
  request: z.object({
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    postData: z.string().optional(),
  }),
});
const Received = z.object({ requestId: z.string(), response: z.object({ status: z.number() }) });
const Failed = z.object({ requestId: z.string(), errorText: z.string() });
const Logged = z.object({
  entry: z.object({ level: z.string(), text: z.string(), url: z.string().optional() }),
});
const Called = z.object({
  type: z.string(),
  args: z.array(z.object({ value: z.unknown().optional(), description: z.string().optional() })),
});
const Thrown = z.object({
  exceptionDetails: z.object({
    text: z.string(),
    exception: z.object({ description: z.string().optional() }).optional(),
  }),
});

/** A tab. Its lists grow until `forget()`. */
export class BrowserPage {
  readonly exchanges: Exchange[] = [];
  /** Errors of the console and of the page's scripts, as text. */
  readonly complaints: string[] = [];
  readonly #devtools: DevTools;
  readonly #session: string;
  readonly #context: string;

  private constructor(devtools: DevTools, session: string, context: string) {
    this.#devtools = devtools;
    this.#session = session;
    this.#context = context;
  }

  static async prepare(
    devtools: DevTools,
    session: string,
    context: string,
    options: PageOptions,
  ): Promise<BrowserPage> {
    const page = new BrowserPage(devtools, session, context);
    page.#listen();
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.#send(`${domain}.enable`);
    if (options.script !== undefined)
      await page.#send("Page.addScriptToEvaluateOnNewDocument", { source: options.script });
    for (const cookie of options.cookies ?? []) await page.#send("Network.setCookie", cookie);
    await page.resize(options);
    return page;
  }

  async resize({ width, height, mobile = false }: PageOptions): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", { width, height, mobile, deviceScaleFactor: 1 });
  }

  /** Resolves when the navigation has begun to load, not when the page is ready. */
  async goto(url: string): Promise<void> {
    const answer = z.object({ errorText: z.string().optional() });
    const { errorText } = await this.#devtools.send("Page.navigate", { url }, answer, this.#session);
    if (errorText) throw new Error(`cannot open ${url}: ${errorText}`);
  }

  /** Value of an expression (a promise is awaited) in the page. */
  async evaluate<T>(expression: string, value: z.ZodType<T>): Promise<T> {
    const answer = z.object({
      result: z.object({ value: z.unknown().optional() }),
      exceptionDetails: Thrown.shape.exceptionDetails.optional(),
    });
    const { result, exceptionDetails: thrown } = await this.#devtools.send(
      "Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true },
      answer,
      this.#session,
    );
    if (thrown) throw new Error(`${thrown.text} ${thrown.exception?.description ?? ""} in ${expression}`);
    return value.parse(result.value);
  }

  /** PNG of what the viewport shows. */
  async screenshot(): Promise<Buffer> {
    const answer = z.object({ data: z.string() });
    const { data } = await this.#devtools.send(
      "Page.captureScreenshot",
      { format: "png", optimizeForSpeed: false },
      answer,
      this.#session,
    );
    return Buffer.from(data, "base64");
  }

  /** Body of an answer; undefined when the browser no longer has it. */
  async bodyOf({ requestId }: Exchange): Promise<string | undefined> {
    const answer = z.object({ body: z.string(), base64Encoded: z.boolean() });
    const found = await this.#devtools
      .send("Network.getResponseBody", { requestId }, answer, this.#session)
      .catch(() => undefined);
    return found?.base64Encoded ? Buffer.from(found.body, "base64").toString("utf8") : found?.body;
  }

  forget(): void {
    this.exchanges.length = 0;
    this.complaints.length = 0;
  }

  async close(): Promise<void> {
    const params = { browserContextId: this.#context };
    await this.#devtools.send("Target.disposeBrowserContext", params, Nothing);
  }

  async #send(method: string, params: object = {}): Promise<void> {
    await this.#devtools.send(method, params, Nothing, this.#session);
  }

  #listen(): void {
    const on = <T>(method: string, shape: z.ZodType<T>, listener: (params: T) => void) =>
      this.#devtools.on(this.#session, method, (params) => listener(shape.parse(params)));
    on("Network.requestWillBeSent", Sent, ({ requestId, request }) => {
      const { url, headers, postData } = request;
      const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      this.exchanges.push({
        ...{ requestId, url, headers: Object.fromEntries(lower), requestBody: postData },
        ...{ status: undefined, failure: undefined },
      });
    });
    on("Network.responseReceived", Received, ({ requestId, response }) => {
      const exchange = this.#exchange(requestId);
      if (exchange) exchange.status = response.status;
    });
    on("Network.loadingFailed", Failed, ({ requestId, errorText }) => {
      const exchange = this.#exchange(requestId);
      if (exchange) exchange.failure = errorText;
    });
    on("Log.entryAdded", Logged, ({ entry }) => {
      if (entry.level === "error") this.complaints.push(`${entry.text} ${entry.url ?? ""}`.trim());
    });
    on("Runtime.consoleAPICalled", Called, ({ type, args }) => {
      const text = args.map(({ value, description }) => String(value ?? description ?? "")).join(" ");
      if (type === "error") this.complaints.push(text);
    });
    on("Runtime.exceptionThrown", Thrown, ({ exceptionDetails: { text, exception } }) =>
      this.complaints.push(`${text} ${exception?.description ?? ""}`),
    );
  }

  #exchange(requestId: string): Exchange | undefined {
    return this.exchanges.findLast((exchange) => exchange.requestId === requestId);
  }
}
