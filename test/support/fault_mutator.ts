// Changes bytes the way accidents and strangers do: bits, pieces, lengths, numbers, and words that mean something to
// whoever reads them. Everything follows from the random numbers it is given.
import type { RandomStream } from "../../ingest/demo/simulator/random.ts";

export interface Mutator {
  /** Golden inputs: one of them is changed, others lend pieces. */
  readonly corpus: readonly Buffer[];
  /** Words of the format. */
  readonly words: readonly (string | Buffer)[];
}

/** Nothing grows beyond it. */
const BYTES_MAX = 65_536;

const BYTES = [
  0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x30, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xff,
];

const NUMBERS = [
  ..."0 -0 1 -1 00 0x1 1e0 1E400 -1e400 0.1 1e-400 2147483648 4294967296 65536".split(" "),
  ..."9007199254740991 9007199254740992 9223372036854775807 9223372036854775808 18446744073709551616".split(
    " ",
  ),
  "9".repeat(400),
];

type Change = (bytes: Buffer, random: RandomStream, mutator: Mutator) => Buffer;

const CHANGES: readonly Change[] = [
  function flipBit(bytes, random) {
    if (bytes.length === 0) return bytes;
    const at = below(random, bytes.length);
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
    return changed;
  },
  function setByte(bytes, random) {
    if (bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    changed[below(random, bytes.length)] = pick(BYTES, random) ?? below(random, 256);
    return changed;
  },
  (bytes, random) => inserted(bytes, random, randomBytes(random, 1 + below(random, 8))),
  function remove(bytes, random) {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function copyWithin(bytes, random) {
    const [from, to] = range(bytes, random);
    return inserted(bytes, random, bytes.subarray(from, to));
  },
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  (bytes, random, { words }) => inserted(bytes, random, Buffer.from(pick(words, random) ?? "")),
  function overwriteWithWord(bytes, random, { words }) {
    const word = Buffer.from(pick(words, random) ?? "");
    const at = below(random, bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at + word.length)]);
  },
  function cross(bytes, random, { corpus }) {
    const other = pick(corpus, random) ?? bytes;
    const head = bytes.subarray(0, below(random, bytes.length + 1));
    return Buffer.concat([head, other.subarray(below(random, other.length + 1))]);
  },
  function otherNumber(bytes, random) {
    const text = bytes.toString("latin1");
    const found = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
    const number = pick(found, random);
    if (number === undefined) return bytes;
    const behind = text.slice(number.index + number[0].length);
    return Buffer.from(text.slice(0, number.index) + (pick(NUMBERS, random) ?? "0") + behind, "latin1");
  },
  function repeat(bytes, random) {
    const [from] = range(bytes, random);
    const piece = bytes.subarray(from, from + 1 + below(random, 4));
    return inserted(
      bytes,
      random,
      Buffer.concat(Array.from({ length: 1 << below(random, 13) }, () => piece)),
    );
  },
  function swap(bytes, random) {
    const [from, to] = range(bytes, random);
    const middle = from + Math.floor((to - from) / 2);
    const parts = [
      [0, from],
      [middle, to],
      [from, middle],
      [to, bytes.length],
    ] as const;
    return Buffer.concat(parts.map(([start, end]) => bytes.subarray(start, end)));
  },
];

/** A golden input after a few changes; sometimes after none. */
export function mutated(mutator: Mutator, random: RandomStream): Buffer {
  return changed(pick(mutator.corpus, random) ?? Buffer.alloc(0), mutator, random);
}

/** These bytes after a few changes. */
export function changed(bytes: Buffer, mutator: Mutator, random: RandomStream): Buffer {
  let result = bytes;
  for (let left = Math.floor(random.exponential(2)); left > 0; left--) {
    const change = pick(CHANGES, random);
    if (change !== undefined) result = change(result, random, mutator).subarray(0, BYTES_MAX);
  }
  return result;
}

/** A whole number from 0 to before `end`. */
export function below(random: RandomStream, end: number): number {
  return Math.floor(random.next() * end);
}

export function pick<T>(all: readonly T[], random: RandomStream): T | undefined {
  return all[below(random, all.length)];
}

function randomBytes(random: RandomStream, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(random, 256)));
}

/** Short pieces are more likely than long ones. */
function range(bytes: Buffer, random: RandomStream): readonly [number, number] {
  const from = below(random, bytes.length + 1);
  const length = Math.floor(random.next() ** 3 * (bytes.length - from + 1));
  return [from, from + length];
}

function inserted(bytes: Buffer, random: RandomStream, piece: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}
