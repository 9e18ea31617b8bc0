// The QuestDB that this configuration leads to: does it answer, over HTTP and over PGWire. Starts none.
import { messageOf } from "../errors.ts";
import { checkLogin } from "../questdb/pg_probe.ts";
import type { RunningQuestdb } from "../questdb/running.ts";
import { type Check, failure, ok, warning } from "./check.ts";

/** What looking for the server came to. */
export type Attachment =
  | { readonly server: RunningQuestdb }
  | { readonly server?: undefined; readonly error?: unknown };

export function questdbCheck({ server, ...attachment }: Attachment & { readonly error?: unknown }): Check {
  return {
    name: "questdb",
    async run() {
      if (server !== undefined) {
        const notes = server.notes.length === 0 ? "" : `\n${server.notes.join("\n")}`;
        return ok(`${server.version} (${server.kind}) at ${server.http}${notes}`);
      }
      const { error } = attachment;
      if (error === undefined)
        return warning(
          "none runs for this data folder, and questdb.url names no other",
          "npm start (starts one), or set QUESTDB_URL",
        );
      return failure(messageOf(error), "start it, or correct questdb.url (QUESTDB_URL)");
    },
  };
}

export function loginCheck({ pg }: RunningQuestdb): Check {
  return {
    name: "questdb pgwire",
    async run(signal) {
      try {
        await checkLogin(pg, signal);
        return ok(`${pg.host}:${pg.port} as ${pg.user}`);
      } catch (error) {
        return failure(
          `${pg.host}:${pg.port} as ${pg.user}: ${messageOf(error)}`,
          "correct questdb.pgHost, questdb.pgPort, questdb.user (QUESTDB_USER) and questdb.password (QUESTDB_PASSWORD)",
        );
      }
    },
  };
}
