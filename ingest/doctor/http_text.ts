// One GET whose connection does not outlive it: nothing keeps the process alive after the last check.
import { Client } from "undici";

/** Status and body; rejects when there is no answer. */
export async function httpText(
  url: string,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  const { origin, pathname, search } = new URL(url);
  const client = new Client(origin);
  try {
    const headers = authorization === undefined ? {} : { authorization };
    const { statusCode, body } = await client.request({
      method: "GET",
      path: `${pathname}${search}`,
      headers,
      signal,
    });
    return { status: statusCode, body: await body.text() };
  } finally {
    await client.destroy();
  }
}
