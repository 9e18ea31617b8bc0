// Promises about a QuestDB that somebody else runs: a wrong address, a silent, an old or a foreign server is named, and
// a password never becomes part of what is shown.
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { addressOf, useExternal } from "../../ingest/questdb/external_server.ts";
import { freePort } from "../../ingest/questdb/free_port.ts";

const NEVER = new AbortController().signal;
const LIMITS = { clock: systemClock(), timeoutMs: 300 };
const CHOICE = { start: "auto", version: "9.3.4", httpPort: 9000, pgPort: 8812 } as const;

/** A server that answers /ping, and /settings with this text or status, or not at all; keeps the headers it saw. */
async function serverWith(settings: string | number | undefined) {
  const authorizations = new Set<string | undefined>();
  const server = createServer((request, response) => {
    authorizations.add(request.headers.authorization);
    if (request.url === "/ping") response.writeHead(204).end();
    else if (settings === undefined) response.destroy();
    else if (typeof settings === "number") response.writeHead(settings).end();
    else response.end(settings);
  });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
    });
  });
  return { url: `http://127.0.0.1:${port}`, authorizations };
}

function settingsOf(version: string, protocols: readonly number[]): string {
  return JSON.stringify({
    config: { "release.version": version, "line.proto.support.versions": protocols },
  });
}

test("a server that is new enough is used as it is, and its shipped password is pointed out", async () => {
  const { url } = await serverWith(settingsOf("9.2.3", [1, 2]));
  const questdb = await useExternal(url, CHOICE, LIMITS, NEVER);
  expect(questdb).toMatchObject({ kind: "external", started: false, http: url, version: "9.2.3" });
  expect(questdb.pg).toMatchObject({ host: "127.0.0.1", port: 8812 });
  expect(questdb.notes.join()).toContain("its own password");
  await questdb.stop();
});

test("configured users are used, and only HTTP's own goes over HTTP", async () => {
  const { url, authorizations } = await serverWith(settingsOf("9.3.4", [1, 2, 3]));
  const choice = { ...CHOICE, user: "me", password: "pg-secret", httpUser: "web", httpPassword: "s3cret" };
  const questdb = await useExternal(url, { ...choice, pgHost: "10.0.0.5" }, LIMITS, NEVER);
  expect(questdb.pg).toMatchObject({ host: "10.0.0.5", user: "me", password: "pg-secret" });
  expect(questdb.notes).toEqual([]);
  const header = `Basic ${Buffer.from("web:s3cret").toString("base64")}`;
  expect(questdb.httpAuthorization).toBe(header);
  expect([...authorizations]).toEqual([header]);
});

test("user and password in the address are taken out of it", () => {
  expect(addressOf("https://web:s%2Fcret@db.example:9000/", {})).toEqual({
    url: "https://db.example:9000",
    authorization: `Basic ${Buffer.from("web:s/cret").toString("base64")}`,
  });
});

test("a server before 9.2.3 is refused with both versions", async () => {
  const { url } = await serverWith(settingsOf("8.1.0", [1]));
  await expect(useExternal(url, CHOICE, LIMITS, NEVER)).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringMatching(/8\.1\.0.*9\.2\.3 or newer/),
  });
});

test("something else on that port is called that", async () => {
  const { url } = await serverWith("<html>hello</html>");
  await expect(useExternal(url, CHOICE, LIMITS, NEVER)).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringContaining("is no QuestDB"),
  });
});

test.each([
  ["cuts the connection", undefined],
  ["stumbles", 503],
])("a server that answers and then %s is DB_UNAVAILABLE: it may come back", async (_, settings) => {
  const { url } = await serverWith(settings);
  await expect(useExternal(url, CHOICE, LIMITS, NEVER)).rejects.toMatchObject({
    code: "DB_UNAVAILABLE",
    message: expect.stringContaining(`${url} answered, and then no more`),
  });
});

test("nobody at the address is DB_UNAVAILABLE, with address and reason, within the time", async () => {
  const url = `http://127.0.0.1:${await freePort(0, new Set())}`;
  await expect(useExternal(url, CHOICE, LIMITS, NEVER)).rejects.toMatchObject({
    code: "DB_UNAVAILABLE",
    message: expect.stringMatching(new RegExp(`${url}.*ECONNREFUSED`)),
  });
});

test("an address that is none is a mistake in the configuration, and is not repeated in the message", async () => {
  await expect(useExternal("localhost 9000 secret", CHOICE, LIMITS, NEVER)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.not.stringContaining("secret"),
  });
});
