/** Names for files that are not processed, so that a refusal can say what a file really is. Pure. */

type Signature = readonly [at: number, hex: string, name: string];

/** Asked only about bytes that are no text, so that "BM" or "MZ" at the start of a letter does no harm. */
const SIGNATURES: readonly Signature[] = [
  [0, '89504e470d0a1a0a', 'a PNG image'],
  [0, 'ffd8ff', 'a JPEG image'],
  [0, '47494638', 'a GIF image'],
  [0, '424d', 'a BMP image'],
  [0, '49492a00', 'a TIFF image'],
  [0, '4d4d002a', 'a TIFF image'],
  [8, '57454250', 'a WebP image'],
  [0, '38425053', 'a Photoshop image'],
  [4, '6674797068656963', 'a HEIC image'],
  [4, '6674797061766966', 'an AVIF image'],
  [0, '00000100', 'an icon'],
  [4, '66747970', 'a video or audio file (MPEG-4)'],
  [8, '57415645', 'an audio file (WAV)'],
  [8, '41564920', 'a video (AVI)'],
  [0, '1a45dfa3', 'a video (Matroska)'],
  [0, '494433', 'an audio file (MP3)'],
  [0, 'fffb', 'an audio file (MP3)'],
  [0, '4f676753', 'an audio or video file (Ogg)'],
  [0, '664c6143', 'an audio file (FLAC)'],
  [0, '7f454c46', 'a program (ELF)'],
  [0, '4d5a', 'a program (Windows)'],
  [0, 'cafebabe', 'a program (Java or macOS)'],
  [0, 'cffaedfe', 'a program (macOS)'],
  [0, '0061736d', 'a program (WebAssembly)'],
  [0, '1f8b', 'a gzip archive'],
  [0, '377abcaf271c', 'a 7-Zip archive'],
  [0, '526172211a07', 'a RAR archive'],
  [0, '425a68', 'a bzip2 archive'],
  [0, 'fd377a585a00', 'an xz archive'],
  [0, '28b52ffd', 'a Zstandard archive'],
  [257, '7573746172', 'a tar archive'],
  [0, '53514c69746520666f726d61742033', 'an SQLite database'],
  [0, '774f4632', 'a font'],
  [0, '774f4646', 'a font'],
  [0, '0001000000', 'a font'],
  [0, '4f54544f', 'a font'],
];

/** DER of the object identifier 1.2.840.113549.1.7.2, signedData (RFC 5652). */
const SIGNED_DATA = '06092a864886f70d010702';

export function nameOfBinary(bytes: Uint8Array): string {
  const hex = toHex(bytes.subarray(0, 300));
  if (hex.startsWith('30') && hex.slice(0, 80).includes(SIGNED_DATA)) return 'a digital signature (PKCS #7)';
  return (
    SIGNATURES.find(([at, signature]) => hex.startsWith(signature, at * 2))?.[2] ?? 'binary data of an unknown kind'
  );
}

const COMPOUND = 'd0cf11e0a1b11ae1';

/** The container of Office 97 to 2003, of Outlook messages, and of Office documents that are encrypted. */
export const isCompoundFile = (bytes: Uint8Array): boolean => toHex(bytes.subarray(0, 8)) === COMPOUND;

/**
 * Its directory holds the names of its streams in UTF-16LE. Source: [MS-CFB] §2.6, [MS-OFFCRYPTO] §1.3.2.
 * `encrypted`: Office opens it with a password only.
 */
export function nameOfCompoundFile(bytes: Uint8Array): { readonly name: string; readonly encrypted: boolean } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const holds = (stream: string) => buffer.includes(Buffer.from(stream, 'utf16le'));
  if (holds('EncryptedPackage')) return { name: 'an encrypted Office document', encrypted: true };
  if (holds('WordDocument')) return { name: 'a Word 97-2003 document (.doc)', encrypted: false };
  if (holds('Workbook')) return { name: 'an Excel 97-2003 workbook (.xls)', encrypted: false };
  if (holds('PowerPoint Document')) return { name: 'a PowerPoint 97-2003 presentation (.ppt)', encrypted: false };
  if (holds('__properties_version1.0')) return { name: 'an Outlook message (.msg)', encrypted: false };
  return { name: 'an Office 97-2003 file', encrypted: false };
}

/** What kind of ZIP archive, by the names of its entries; undefined for a Word document, which is processed. */
export function nameOfArchive(names: readonly string[], head: string): string | undefined {
  const holds = (prefix: string) => names.some((name) => name.startsWith(prefix));
  if (holds('word/')) return undefined;
  if (holds('xl/')) return 'an Excel workbook (.xlsx)';
  if (holds('ppt/')) return 'a PowerPoint presentation (.pptx)';
  if (holds('visio/')) return 'a Visio drawing (.vsdx)';
  // OpenDocument and EPUB begin with an entry "mimetype" that is stored as it is.
  if (head.includes('mimetypeapplication/vnd.oasis.opendocument')) return 'an OpenDocument file';
  if (head.includes('mimetypeapplication/epub+zip')) return 'an EPUB book';
  if (holds('META-INF/MANIFEST.MF')) return 'a Java archive';
  return 'a ZIP archive';
}

/** Text whose kind is not processed. Asked about the first characters. */
export function nameOfTextKind(text: string): string | undefined {
  const start = text.trimStart();
  if (start.startsWith('{\\rtf')) return 'a Rich Text document (.rtf)';
  if (start.startsWith('%!PS')) return 'a PostScript file';
  if (/^-----BEGIN [A-Z0-9 ]+-----/.test(start)) return 'a certificate, key or signature (PEM)';
  if (/^<(?:svg[\s>]|!doctype svg)/i.test(firstElement(text))) return 'an SVG image';
  const header = /^(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+/.exec(start.replaceAll('\r\n', '\n'))?.[0];
  if (header && /^MIME-Version:/im.test(header)) return 'an e-mail or a signed message (MIME)';
  return undefined;
}

export const looksLikeHtml = (text: string): boolean =>
  /^<(?:!doctype html|html|head|body|title|meta)\b/i.test(firstElement(text));

/**
 * Markup behind white space, an XML declaration and comments. By hand, because a pattern with repeated comments takes
 * exponential time on a text made for it.
 */
function firstElement(text: string): string {
  let rest = text.trimStart();
  for (;;) {
    const close = rest.startsWith('<!--') ? '-->' : rest.startsWith('<?') ? '?>' : undefined;
    const end = close === undefined ? -1 : rest.indexOf(close);
    if (close === undefined || end < 0) return rest.slice(0, 100);
    rest = rest.slice(end + close.length).trimStart();
  }
}

const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
