// A look at SQL without a parser: its words without texts and comments, and the tables behind FROM and JOIN.

/** The statement with texts emptied and comments gone, so that words in them are not mistaken for SQL. */
export function bareSql(sql: string): string {
  return sql
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll(/--[^\n]*/g, " ")
    .replaceAll(/\/\*[\s\S]*?\*\//g, " ");
}

/** Names behind FROM and JOIN that no WITH of the same statement made. */
export function tablesIn(sql: string): readonly string[] {
  const bare = bareSql(sql);
  const made = new Set([...bare.matchAll(/(?:\bWITH\b|,)\s*(\w+)\s+AS\s*\(/gi)].map(([, name]) => name));
  const named = [...bare.matchAll(/\b(?:FROM|JOIN)\s+"?(\w+)"?(?!\s*\()/gi)].map(([, name = ""]) => name);
  return [...new Set(named)].filter((name) => !made.has(name) && !/^(?:SELECT|LATERAL)$/i.test(name));
}
