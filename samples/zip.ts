/**
 * ZIP for samples and tests: no dates and, unless asked, no compression, whose bytes differ between processors. So the
 * same archive comes out everywhere.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

export type ZipPart = {
  readonly name: string;
  readonly content: Uint8Array | string;
  readonly deflate?: boolean;
  /** For hostile archives: what the headers claim instead of the truth. */
  readonly claimedSize?: number;
  readonly encrypted?: boolean;
};

/** 1 January 1980, the format's zero. */
const DOS_DATE = 0x21;
const STORED = 0;
const DEFLATED = 8;
const LOCAL_HEADER = 30;
const CENTRAL_HEADER = 46;

export function zip(parts: readonly ZipPart[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const name = Buffer.from(part.name);
    const content = Buffer.from(part.content);
    const data = part.deflate ? deflateRawSync(content) : content;
    const common = commonHeader(part, content, data.length);
    const offset = Buffer.alloc(14);
    offset.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, offset, name);
    pieces.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, data);
    at += LOCAL_HEADER + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...pieces, central, end]);
}

/** The part of a header that local and central have in common. */
function commonHeader(part: ZipPart, content: Buffer, packed: number): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(part.encrypted ? 1 : 0, 2);
  header.writeUInt16LE(part.deflate ? DEFLATED : STORED, 4);
  header.writeUInt16LE(DOS_DATE, 8);
  header.writeUInt32LE(crc32(content), 10);
  header.writeUInt32LE(packed, 14);
  header.writeUInt32LE(part.claimedSize ?? content.length, 18);
  header.writeUInt16LE(Buffer.byteLength(part.name), 22);
  return header;
}

/** Only for archives of our own making. */
export function unzip(archive: Buffer): { name: string; content: Buffer }[] {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const parts: { name: string; content: Buffer }[] = [];
  let at = archive.readUInt32LE(end + 16);
  while (parts.length < archive.readUInt16LE(end + 10)) {
    const nameLength = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    const start = local + LOCAL_HEADER + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const data = archive.subarray(start, start + archive.readUInt32LE(at + 20));
    parts.push({
      name: archive.toString('utf8', at + CENTRAL_HEADER, at + CENTRAL_HEADER + nameLength),
      content: archive.readUInt16LE(at + 10) === DEFLATED ? inflateRawSync(data) : Buffer.from(data),
    });
    at += CENTRAL_HEADER + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return parts;
}
