// docs/runbook.md by its sections, with the statements in them.

export interface RunbookSection {
  readonly title: string;
  readonly body: string;
  /** SQL, one statement each. */
  readonly queries: readonly string[];
}

/** Sections of the second level, in order. */
export function runbookSections(markdown: string): readonly RunbookSection[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [title = "", ...lines] = part.split("\n");
      const body = lines.join("\n");
      const blocks = [...body.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
      const queries = blocks.flatMap((block) => block.split(";")).map((query) => query.trim());
      return { title, body, queries: queries.filter((query) => query !== "") };
    });
}
