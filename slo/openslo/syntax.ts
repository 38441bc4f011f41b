/**
 * A YAML text as the documents of its stream, one at a time, within limits that hold before anything is built: the
 * libraries' own parsers go as deep, as long and as far as a text leads them.
 *
 * Source: YAML 1.2.2, https://yaml.org/spec/1.2.2/
 */
import { Composer, type CST, type Document, Lexer, Parser } from 'yaml';
import type { Report } from './report.ts';
import { placeAt, type SourceFile } from './tree.ts';

/** 5,000 objectives have about 6 MB in one file. */
export const FILE_CHARS_MAX = 8 * 1024 * 1024;
/** Of one document. Each costs some 250 bytes while the document is read; 5,000 of Sloth's SLOs have half of it. */
export const LEXEMES_MAX = 1_000_000;
/** Of one file: 5,000 objectives with everything they refer to. */
export const DOCUMENTS_MAX = 20_000;
/** `%YAML 1.2`, once a document at most. */
const DIRECTIVES_MAX = 100;
/** The deepest place of OpenSLO, a query in an inline indicator of a list of documents, is at 11. */
export const DEPTH_MAX = 64;
/** A text that is no YAML at all has a fault a line: these say enough. */
const SYNTAX_FAULTS_MAX = 20;

/** The documents one by one, so that the syntax of only one of them is in memory. */
export function* documents(file: SourceFile, report: Report): Generator<Document.Parsed> {
  const parser = new Parser(file.lines.addNewLine);
  // Its own check of double keys compares each with each, and its own resolution of tags makes dates and sets.
  const composer = new Composer({ uniqueKeys: false, resolveKnownTags: false, logLevel: 'silent' });
  file.lines.addNewLine(0);
  const told = makeTeller(file, report);
  const seen = { lexemes: 0, document: 0, directive: 0 };
  for (const tokens of pieces(parser, file.text)) {
    // Lines and comments between documents count on: a file of nothing else is also long.
    if (++seen.lexemes > LEXEMES_MAX) {
      const message = `has more than ${LEXEMES_MAX} words in one document: put its objectives into several, with --- between`;
      report.fault(placeAt(file, parser.offset), message);
      return;
    }
    for (const token of tokens) {
      if (token.type === 'document') seen.lexemes = 0;
      if (token.type === 'document' || token.type === 'directive') {
        const most = token.type === 'document' ? DOCUMENTS_MAX : DIRECTIVES_MAX;
        if (++seen[token.type] > most) {
          report.fault(placeAt(file, token.offset), `has more than ${most} ${token.type}s`);
          return;
        }
      }
      const bad = refusal(token);
      if (bad) report.fault(placeAt(file, bad.offset), bad.message);
      else for (const document of composer.next(token)) yield told(document);
    }
  }
  for (const document of composer.end()) yield told(document);
}

/** What each word of the text completes, and what its end does. */
function* pieces(parser: Parser, text: string): Generator<Iterable<CST.Token>> {
  for (const lexeme of new Lexer().lex(text)) yield parser.next(lexeme);
  yield parser.end();
}

function makeTeller(file: SourceFile, report: Report): (document: Document.Parsed) => Document.Parsed {
  let said = 0;
  return (document) => {
    for (const error of document.errors) {
      if (said++ < SYNTAX_FAULTS_MAX) report.fault(placeAt(file, error.pos[0]), syntaxMessage(error.message));
    }
    for (const { pos, message } of document.warnings) report.warn(placeAt(file, pos[0]), syntaxMessage(message));
    return document;
  };
}

const syntaxMessage = (message: string): string => `is not YAML: ${message.replace(/\s+/g, ' ').slice(0, 200)}`;

type Refusal = { readonly offset: number; readonly message: string };

/** Why a document is not composed at all. Without recursion: this is what guards the recursions. */
function refusal(document: CST.Token): Refusal | undefined {
  const stack: { token: CST.Token; depth: number }[] = [];
  const push = (token: CST.Token | null | undefined, depth: number): void => {
    if (token) stack.push({ token, depth });
  };
  if (document.type === 'document') push(document.value, 1);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { token, depth } = next;
    if (token.type === 'double-quoted-scalar') {
      const at = badEscape(token.source);
      const message = `is not YAML: ${token.source.slice(at, (at ?? 0) + 2)} is no escape; in single quotes it is text`;
      if (at !== undefined) return { offset: token.offset + at, message };
    }
    if (!('items' in token)) continue;
    if (depth > DEPTH_MAX) return { offset: token.offset, message: `is nested deeper than ${DEPTH_MAX} levels` };
    for (const item of token.items) {
      push(item.key, depth + 1);
      push(item.value, depth + 1);
    }
  }
  return undefined;
}

/** The composer makes an error of each, with its stack: four million in the largest file. The first one says enough. */
function badEscape(source: string): number | undefined {
  const written = /\\(?:[0abtnvfre "/\\N_LP\t\r\n]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|(.|$))/gs;
  for (let match = written.exec(source); match !== null; match = written.exec(source)) {
    if (match[1] !== undefined) return match.index;
  }
  return undefined;
}
