// The official client's v2 buffer behind our contract: selectable in the configuration, and the reference for the bytes
// of the native encoder. Only its buffer is used, never its sender, which forgets rows when a flush fails.
import { SenderBufferV2 } from "@questdb/nodejs-client";
import type { AnyRow, EventDefinition } from "../../schema/define.ts";
import { keyColumns } from "./key_hash.ts";
import { lineKeyReader } from "./line_key.ts";
import type { EncodeRow } from "./row_encoder.ts";

/** Encodes through `@questdb/nodejs-client`; several times slower than the native encoder. */
export function officialEncoder(event: EventDefinition): EncodeRow {
  const buffer = new SenderBufferV2({ protocol: "http", protocol_version: "2", host: "127.0.0.1" });
  const readKey = lineKeyReader(keyColumns(event));
  return (row, out, keys, at) => {
    buffer.reset();
    writeRow(buffer, event, row);
    const bytes = buffer.toBufferView();
    out.reserve(bytes.length);
    bytes.copy(out.bytes, out.length);
    readKey(out.bytes, out.view, out.length, out.length + bytes.length, keys, at);
    out.length += bytes.length;
  };
}

function writeRow(buffer: SenderBufferV2, event: EventDefinition, row: AnyRow): void {
  buffer.table(event.name);
  for (const { name, type } of event.wire) {
    const value = row[name];
    if (value === undefined || value === null) continue;
    if (type === "SYMBOL") buffer.symbol(name, value);
    else if (typeof value === "string") buffer.stringColumn(name, value);
    else if (typeof value === "boolean") buffer.booleanColumn(name, value);
    else if (typeof value !== "number")
      throw new TypeError(`${event.name}.${name}: cannot encode a ${typeof value}`);
    else if (type === "DOUBLE") buffer.floatColumn(name, value);
    else if (type === "LONG") buffer.intColumn(name, value);
    else buffer.timestampColumn(name, value, "us");
  }
  buffer.at(row.ts, "us");
}
