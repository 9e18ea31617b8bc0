// What stands in a row's place when its text could not be read at all. A producer's line that is not JSON still has to
// be counted and dead-lettered like any other refused row, so it travels through the intake instead of being dropped
// at the door. Pure; knows nothing of HTTP.

/** A line (or a whole body) that is not JSON. The intake refuses it with the reason `malformed_json`. */
export class MalformedLine {
  /** The text as it came, without the line's end. Unbounded here: as long as the producer made it. */
  readonly text: string;
  /** What is wrong with it, for people; never more than a short piece of the text. */
  readonly message: string;

  constructor(text: string, message: string) {
    this.text = text;
    this.message = message;
  }
}
