// Bytes as text that people can read and compare line by line: offset, sixteen bytes, what they spell. Lines of zeros
// are folded into one, as hexdump does. Lines that begin with # are words.

const LINE_BYTES = 16;

/** The bytes, with words in front; the last line is the length. */
export function hexText(words: string, bytes: Buffer): string {
  const lines = words.split("\n").map((line) => `# ${line}`);
  let folded = false;
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const piece = bytes.subarray(at, at + LINE_BYTES);
    const isEmpty = at > 0 && piece.length === LINE_BYTES && piece.every((byte) => byte === 0);
    if (!isEmpty) lines.push(`${offsetText(at)}  ${hexOf(piece).padEnd(3 * LINE_BYTES)} |${spelled(piece)}|`);
    else if (!folded) lines.push("* zeros");
    folded = isEmpty;
  }
  return `${[...lines, offsetText(bytes.length)].join("\n")}\n`;
}

/** The bytes of such a text. */
export function bytesOfHex(text: string): Buffer {
  const lines = text.split("\n").filter((line) => /^[0-9a-f]{8}/.test(line));
  const bytes = Buffer.alloc(Number.parseInt(lines.at(-1) ?? "", 16));
  for (const line of lines.slice(0, -1)) {
    const hex = line.slice(10, 10 + 3 * LINE_BYTES).replaceAll(" ", "");
    bytes.write(hex, Number.parseInt(line.slice(0, 8), 16), "hex");
  }
  return bytes;
}

function offsetText(at: number): string {
  return at.toString(16).padStart(8, "0");
}

function hexOf(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function spelled(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll(/[^ -~]/g, ".");
}
