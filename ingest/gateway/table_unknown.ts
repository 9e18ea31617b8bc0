// The answer to a table that does not exist, with the names that were probably meant.

import { nearNames } from "../../schema/near_names.ts";
import { EVENTS } from "../../schema/registry.ts";
import type { Problem } from "./problem.ts";

const NAMES = EVENTS.map((event) => event.name);

/** 404 for a name that is not in the registry. */
export function tableUnknown(name: string): Problem {
  const near = nearNames(name, NAMES);
  const meant = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
  return {
    status: 404,
    code: "table_unknown",
    message: `there is no table ${JSON.stringify(name)}${meant}`,
    hint: "GET /v1/tables lists all tables with their columns.",
  };
}
