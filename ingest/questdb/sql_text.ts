// SQL as text: quoting of names and strings, and the cutting of a file into statements. Pure; knows no table.

/** A table or column name, for use in a statement. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal. Only for places that take no `$1`, such as the argument of table_columns(). */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** One piece of SQL text: a quoted part, a comment, a semicolon, or a run of anything else. */
const PIECE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'"\-/;]+|[-/'"]/g;

/** The statements of a file, without comments and the semicolons between them. Semicolons in quotes do not count. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = "";
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece === ";") {
      statements.push(current);
      current = "";
    } else {
      const comment = piece.startsWith("--") || piece.startsWith("/*");
      current += comment ? " " : piece;
    }
  }
  return [...statements, current].map((statement) => statement.trim()).filter((s) => s !== "");
}

/** The same statement with the contents of quoted texts emptied: safe to search for words. */
export function withoutTexts(statement: string): string {
  return statement.replaceAll(/'(?:[^']|'')*'/g, "''");
}
