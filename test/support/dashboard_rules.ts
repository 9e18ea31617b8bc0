// All rules for dashboards in one place.
import type { Lint } from "./dashboard_lint.ts";
import { NAME_RULES } from "./dashboard_names.ts";
import { BOARD_RULES, SET_RULES } from "./dashboard_rules_board.ts";
import { PANEL_RULES } from "./dashboard_rules_panel.ts";
import { QUERY_RULES, SQL_RULES } from "./dashboard_rules_sql.ts";

export const LINT = {
  boards: { ...BOARD_RULES, ...QUERY_RULES },
  panels: { ...PANEL_RULES, ...NAME_RULES, ...SQL_RULES },
  sets: SET_RULES,
} satisfies Lint;
