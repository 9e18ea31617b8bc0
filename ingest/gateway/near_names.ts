// Finds the name that somebody probably meant. Pure.

/** Up to three known names within a few typing mistakes of the given one, or that contain it or its beginning. */
export function nearNames(name: string, known: readonly string[]): readonly string[] {
  const wanted = name.toLowerCase().replaceAll("-", "_");
  const mistakesMax = Math.max(2, Math.floor(wanted.length / 4));
  return known
    .map((candidate) => ({ candidate, distance: distanceTo(candidate, wanted) }))
    .filter(({ distance }) => distance <= mistakesMax)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function distanceTo(candidate: string, wanted: string): number {
  const contained = wanted.length >= 4 && (candidate.includes(wanted) || wanted.includes(candidate));
  return contained ? 1 : editDistance(candidate, wanted);
}

/** Least number of inserted, removed or replaced characters between two short texts. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
