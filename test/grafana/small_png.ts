// Makes a screenshot small enough for a repository: the same picture with 256 colours instead of 16 million. Written for
// what Chromium gives (8 bits a channel, not interlaced); knows no other PNG.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const COLOURS = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** One number for each pixel: red, green, blue. */
  readonly rgb: Uint32Array;
}

/** The same picture, in a palette of at most 256 colours. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, rgb } = decode(png);
  const counts = new Map<number, number>();
  for (const colour of rgb) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const { palette, places } = paletteOf(counts);
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = places.get(rgb[y * width + x] ?? 0) ?? 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, palette.
  header[8] = 8;
  header[9] = 3;
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

function decode(png: Buffer): Pixels {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG");
  const data: Buffer[] = [];
  let header = Buffer.alloc(13);
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (type === "IHDR") header = Buffer.from(body);
    if (type === "IDAT") data.push(body);
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = header[9] === 6 ? 4 : header[9] === 2 ? 3 : 0;
  if (header[8] !== 8 || channels === 0 || header[12] !== 0) throw new Error("a PNG of another kind");
  const bytes = unfiltered(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  const rgb = new Uint32Array(width * height);
  for (let index = 0; index < rgb.length; index++) rgb[index] = bytes.readUIntBE(index * channels, 3);
  return { width, height, rgb };
}

/** Undoes the filter of each row (PNG specification, 9.2). */
function unfiltered(raw: Buffer, stride: number, height: number, channels: number): Buffer {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= channels ? (out[at - channels] ?? 0) : 0;
      const above = y > 0 ? (out[at - stride] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (out[at - stride - channels] ?? 0) : 0;
      out[at] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predicted(filter, left, above, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) return 0;
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

type Counted = readonly [colour: number, count: number];

const SHIFTS = [16, 8, 0] as const;

function channelOf(colour: number, shift: number): number {
  return (colour >> shift) & 255;
}

/** Median cut: the box of colours that spreads most, weighed by its pixels, is halved until there are enough boxes. */
function paletteOf(counts: ReadonlyMap<number, number>) {
  let boxes: Counted[][] = [[...counts]];
  while (boxes.length < COLOURS) {
    const [widest] = boxes.map((box) => ({ box, ...spreadOf(box) })).sort((a, b) => b.weight - a.weight);
    if (widest === undefined || widest.weight === 0) break;
    boxes = [...boxes.filter((box) => box !== widest.box), ...halves(widest.box, widest.shift)];
  }
  const places = new Map(boxes.flatMap((box, index) => box.map(([colour]) => [colour, index] as const)));
  return { palette: Buffer.from(boxes.flatMap(meanOf)), places };
}

function spreadOf(box: readonly Counted[]): { readonly shift: number; readonly weight: number } {
  const pixels = box.reduce((sum, [, count]) => sum + count, 0);
  const ranges = SHIFTS.map((shift) => {
    let [low, high] = [255, 0];
    for (const [colour] of box) {
      low = Math.min(low, channelOf(colour, shift));
      high = Math.max(high, channelOf(colour, shift));
    }
    return { shift, range: high - low };
  });
  const widest = ranges.reduce((best, next) => (next.range > best.range ? next : best));
  // Large areas of one colour must not take all the boxes, nor single pixels none.
  return { shift: widest.shift, weight: widest.range * Math.sqrt(pixels) };
}

function halves(box: readonly Counted[], shift: number): [Counted[], Counted[]] {
  const sorted = [...box].sort(([a], [b]) => channelOf(a, shift) - channelOf(b, shift));
  const [first = [0, 0]] = sorted;
  const last = sorted.at(-1) ?? first;
  const middle = (channelOf(first[0], shift) + channelOf(last[0], shift)) / 2;
  const cut = sorted.findIndex(([colour]) => channelOf(colour, shift) > middle);
  return [sorted.slice(0, cut), sorted.slice(cut)];
}

function meanOf(box: readonly Counted[]): number[] {
  const pixels = box.reduce((sum, [, count]) => sum + count, 0);
  return SHIFTS.map((shift) =>
    Math.round(box.reduce((sum, [colour, count]) => sum + channelOf(colour, shift) * count, 0) / pixels),
  );
}
