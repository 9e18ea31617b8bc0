// "Did you mean …?": the known names that somebody probably meant. Pure.

/** Nobody means a name with a longer one, and comparing takes time with the product of the lengths. */
const WORD_LENGTH_MAX = 100;

/** Up to three known names close to a mistyped one, the closest first; letter case and - for _ aside. */
export function nearNames(word: string, known: readonly string[]): readonly string[] {
  if (word.length > WORD_LENGTH_MAX) return [];
  const wanted = plain(word);
  const near = known
    .map((name) => ({ name, edits: editsTo(plain(name), wanted) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(Math.max(word.length, name.length) / 3)))
    .sort((a, b) => a.edits - b.edits);
  const closest = near[0]?.edits ?? 0;
  return near
    .filter(({ edits }) => edits <= closest + 1)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** The closest of them, if one is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  return nearNames(word, known)[0];
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** A name that contains the other, or is its beginning, counts as one edit away. */
function editsTo(name: string, wanted: string): number {
  const contained = wanted.length >= 4 && name !== wanted && (name.includes(wanted) || wanted.includes(name));
  return contained ? 1 : editsBetween(name, wanted);
}

/** Inserted, removed, replaced or swapped characters (optimal string alignment), three rows at a time. */
function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
