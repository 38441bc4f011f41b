/**
 * What a ZIP archive says of itself, read without unpacking anything. Pure.
 * Source: PKWARE APPNOTE.TXT 6.3.10, §4.3.7 (local headers), §4.3.12 (central directory), §4.3.16 (its end).
 */

export type ZipEntry = {
  readonly name: string;
  /** As declared: a hostile archive may lie, so that memory must be bounded elsewhere too. */
  readonly unpacked: number;
  readonly encrypted: boolean;
};

export type ZipDirectory =
  | { readonly kind: 'read'; readonly entries: readonly ZipEntry[] }
  /** The directory stands at the end of the file: a cut-off archive has none, but its first names can still be read. */
  | { readonly kind: 'damaged'; readonly because: string; readonly entries: readonly ZipEntry[] };

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** An end record is 22 bytes and a comment of up to 65,535. */
const END_SEARCH = 22 + 0xffff;
/** A docx has some twenty parts, a large one some hundred pictures. */
const ENTRIES_MAX = 10_000;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && (viewOf(bytes).getUint32(0, true) === LOCAL || viewOf(bytes).getUint32(0, true) === END);

export function readZipDirectory(bytes: Uint8Array): ZipDirectory {
  const end = findEnd(bytes);
  const damaged = (because: string): ZipDirectory => ({ kind: 'damaged', because, entries: readLocalHeaders(bytes) });
  if (end === undefined) return damaged('The archive has no directory: its end is missing');
  const view = viewOf(bytes);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  // Archives may stand behind other bytes; the directory then starts later than its record says. No ZIP64: over 4 GB.
  let at = end - size;
  const entries: ZipEntry[] = [];
  while (entries.length < count) {
    if (entries.length === ENTRIES_MAX) return damaged(`The archive has more than ${ENTRIES_MAX} entries`);
    if (at < 0 || at + 46 > end || view.getUint32(at, true) !== CENTRAL) {
      return damaged(`The archive's directory is broken after ${entries.length} of ${count} entries`);
    }
    const nameLength = view.getUint16(at + 28, true);
    entries.push({
      name: latin1(bytes.subarray(at + 46, at + 46 + nameLength)),
      unpacked: view.getUint32(at + 24, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return { kind: 'read', entries };
}

function findEnd(bytes: Uint8Array): number | undefined {
  const view = viewOf(bytes);
  const lowest = Math.max(0, bytes.length - END_SEARCH);
  for (let at = bytes.length - 22; at >= lowest; at--) if (view.getUint32(at, true) === END) return at;
  return undefined;
}

/** Finds headers by their signature: sizes may stand behind the data, so that entries cannot be walked. */
function readLocalHeaders(bytes: Uint8Array): ZipEntry[] {
  const view = viewOf(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signature = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
  const entries: ZipEntry[] = [];
  for (let at = buffer.indexOf(signature); at >= 0 && at + 30 <= bytes.length; at = buffer.indexOf(signature, at + 4)) {
    if (entries.length === ENTRIES_MAX) break;
    entries.push({
      name: latin1(bytes.subarray(at + 30, at + 30 + view.getUint16(at + 26, true))),
      unpacked: view.getUint32(at + 22, true),
      encrypted: (view.getUint16(at + 6, true) & 1) === 1,
    });
  }
  return entries;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
