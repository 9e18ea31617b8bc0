// Random numbers that repeat: a stream is named, and the same seed and name give the same numbers on every
// machine. One stream per purpose, so that asking one question more often doesn't change another's answers.

/** A repeatable stream of random numbers (mulberry32; plausible, not cryptographic). */
export class RandomStream {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = hash32(`${seed}/${name}`);
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Normal with mean 0 and deviation 1; always takes two uniform draws, so streams stay in step. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Exponential: the gap between two events that come at random with this mean gap. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}

function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
