/**
 * Bytes for checkpoints: numbers written small, and an envelope that tells a whole checkpoint from a damaged one. Running
 * sums are written as differences, and equal differences once with their number: a month of a quiet service is a few bytes.
 */
import { crc32 } from 'node:zlib';
import { type Column, columnOf, sumsOf } from './column.ts';

export type Writer = { bytes: Buffer; at: number };
export type Reader = { readonly bytes: Uint8Array; readonly view: DataView; at: number };

const MAGIC = 'burnline';
/** Name, version, checksum of the rest. */
const HEADER = MAGIC.length + 1 + 4;

/**
 * @param size that is expected: a large checkpoint that has to grow leaves as much again behind as garbage.
 * @param reuse an earlier checkpoint that nobody needs any more: its memory is written over.
 */
export function newWriter(size = 64 * 1024, reuse?: Uint8Array): Writer {
  const old = reuse === undefined ? undefined : Buffer.from(reuse.buffer);
  const bytes = old !== undefined && old.length >= size + HEADER ? old : Buffer.allocUnsafeSlow(size + HEADER);
  return { bytes, at: HEADER };
}

export function newReader(bytes: Uint8Array): Reader {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 };
}

function room(writer: Writer, more: number): void {
  if (writer.at + more <= writer.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * writer.bytes.length, writer.at + more));
  larger.set(writer.bytes);
  writer.bytes = larger;
}

/** Whole numbers from 0 to 2^53, seven bits a byte, the least first. */
export function putCount(writer: Writer, count: number): void {
  room(writer, COUNT_BYTES);
  writer.at = put(writer.bytes, writer.at, count);
}

/** The most that a count takes. */
const COUNT_BYTES = 8;

/** @returns where the next one goes. */
function put(bytes: Uint8Array, from: number, count: number): number {
  let at = from;
  let rest = count;
  while (rest > 0x7fff_ffff) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  // Most are small, and shifts are several times as fast.
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** @throws {RangeError} past the end; `open` has checked that nothing is damaged, so it cannot be. */
export function takeCount(reader: Reader): number {
  let [value, scale] = [0, 1];
  for (;;) {
    const byte = reader.view.getUint8(reader.at++);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 0x80;
  }
}

export function putBytes(writer: Writer, bytes: Uint8Array): void {
  putCount(writer, bytes.length);
  room(writer, bytes.length);
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

export function takeBytes(reader: Reader): Uint8Array {
  const length = takeCount(reader);
  if (length > reader.bytes.length - reader.at) throw new RangeError(`${length} bytes are announced, fewer are there`);
  reader.at += length;
  return reader.bytes.subarray(reader.at - length, reader.at);
}

export function putJson(writer: Writer, value: unknown): void {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  putCount(writer, length);
  room(writer, length);
  writer.at += writer.bytes.write(text, writer.at);
}
export const takeJson = (reader: Reader): unknown => JSON.parse(textOf(takeBytes(reader)));
const textOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString();

const WHOLE = 0;
const RAW = 1;

/** Sums from `first` on, around the end. Fractions, and sums that fall, are written as they are, to the bit. */
export function putColumn(writer: Writer, column: Column, first: number): void {
  if (putWhole(writer, column.above, first, column.base)) return;
  const sums = sumsOf(column);
  putCount(writer, RAW);
  putBytes(writer, new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength));
}

/** @param scratch as long as the column; written over. */
export function takeColumn(reader: Reader, first: number, scratch: Float64Array): Column {
  takeSums(reader, scratch, first);
  return columnOf(scratch);
}

export function putSums(writer: Writer, sums: Uint32Array, first: number): void {
  if (putWhole(writer, sums, first, 0)) return;
  putCount(writer, RAW);
  putBytes(writer, new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength));
}

/** @returns false, and nothing is written, where one is no whole number or less than the one before. */
function putWhole(writer: Writer, sums: Float64Array | Uint32Array, first: number, base: number): boolean {
  const start = writer.at;
  putCount(writer, WHOLE);
  let [before, step, run] = [0, 0, 0];
  let slot = first;
  for (let i = 0; i < sums.length; i++) {
    const sum = base + (sums[slot] as number);
    const difference = sum - before;
    if (difference === step) run++;
    else {
      if (!(difference >= 0 && Number.isSafeInteger(sum))) {
        writer.at = start;
        return false;
      }
      if (run > 0) putRun(writer, step, run);
      step = difference;
      run = 1;
    }
    before = sum;
    slot = slot + 1 === sums.length ? 0 : slot + 1;
  }
  if (run > 0) putRun(writer, step, run);
  return true;
}

function putRun(writer: Writer, step: number, run: number): void {
  room(writer, 2 * COUNT_BYTES);
  const { bytes } = writer;
  writer.at = put(bytes, put(bytes, writer.at, step), run);
}

export function takeSums(reader: Reader, sums: Float64Array | Uint32Array, first: number): void {
  const size = sums.length;
  if (takeCount(reader) === RAW) {
    const bytes = takeBytes(reader);
    if (bytes.length !== sums.byteLength) throw new RangeError(`${bytes.length} bytes of sums, ${sums.byteLength} fit`);
    new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength).set(bytes);
    return;
  }
  let sum = 0;
  let slot = first;
  for (let left = size; left > 0; ) {
    const step = takeCount(reader);
    const run = takeCount(reader);
    if (run < 1 || run > left) throw new RangeError(`a run of ${run} sums, ${left} fit`);
    left -= run;
    for (let k = 0; k < run; k++) {
      sum += step;
      sums[slot] = sum;
      slot = slot + 1 === size ? 0 : slot + 1;
    }
  }
}

/** All that was written, with its envelope around it. The writer is done with. */
export function seal(version: number, { bytes, at }: Writer): Uint8Array {
  const sealed = bytes.subarray(0, at);
  sealed.write(MAGIC);
  sealed[MAGIC.length] = version;
  new DataView(sealed.buffer, sealed.byteOffset).setUint32(MAGIC.length + 1, crc32(sealed.subarray(HEADER)));
  return sealed;
}

/** @returns the body, or why it is refused. */
export function open(version: number, sealed: Uint8Array): Uint8Array | string {
  if (sealed.length < HEADER || Buffer.from(sealed.subarray(0, MAGIC.length)).toString() !== MAGIC) {
    return 'this is no checkpoint of a ledger';
  }
  const found = sealed[MAGIC.length];
  if (found !== version) return `the checkpoint is of version ${found}, this program reads version ${version}`;
  const body = sealed.subarray(HEADER);
  const sum = new DataView(sealed.buffer, sealed.byteOffset).getUint32(MAGIC.length + 1);
  return crc32(body) === sum ? body : 'the checkpoint is damaged: its checksum does not fit';
}
