/**
 * Cuts pages of Markdown into chunks of a bounded number of tokens: along headings, then paragraphs, then sentences, then
 * words. Neighbours overlap, so that a sentence on a border is found whole. Pure and deterministic: the same pages give
 * the same chunks, whenever and wherever they are cut.
 */
import { encode } from 'gpt-tokenizer/encoding/cl100k_base';
import type { Draft } from './rows/results.ts';

export type ChunkOptions = {
  /** The most tokens a chunk may have. */
  readonly tokens: number;
  /** Tokens of the chunk before that are repeated at the start of the next, in the same section. */
  readonly overlap: number;
};

export const CHUNKING: ChunkOptions = { tokens: 400, overlap: 50 };

type Block = { readonly text: string; readonly page: number; readonly heading: string };
type Piece = Block & { readonly tokens: number };

/** cl100k_base is the encoding of OpenAI's embedding models. */
export const countTokens = (text: string): number => encode(text, { disallowedSpecial: new Set() }).length;

export function chunk(pages: readonly string[], options: ChunkOptions = CHUNKING): Draft[] {
  const pieces = toBlocks(pages).flatMap((block) => toPieces(block, options.tokens));
  const chunks: Draft[] = [];
  let open: Piece[] = [];
  let size = 0;
  let fresh = false;
  const close = () => {
    const first = open[0];
    if (!first || !fresh) return;
    const text = open.map((piece) => piece.text).join('\n\n');
    const { page, heading } = first;
    chunks.push({ ordinal: chunks.length, text, tokens: countTokens(text), page, heading });
    fresh = false;
  };
  for (const piece of pieces) {
    const newSection = open.length > 0 && open[0]?.heading !== piece.heading;
    if (newSection || size + piece.tokens + JOIN_TOKENS > options.tokens) {
      close();
      open = newSection ? [] : tail(open, Math.min(options.overlap, options.tokens - piece.tokens - JOIN_TOKENS));
      size = sum(open);
    }
    open.push(piece);
    size += piece.tokens + JOIN_TOKENS;
    fresh = true;
  }
  close();
  return chunks;
}

/** Two line breaks between pieces. */
const JOIN_TOKENS = 2;
const sum = (pieces: readonly Piece[]): number => pieces.reduce((n, piece) => n + piece.tokens + JOIN_TOKENS, 0);

/** The last pieces that fit into `tokens`. */
function tail(pieces: readonly Piece[], tokens: number): Piece[] {
  let from = pieces.length;
  while (from > 0 && sum(pieces.slice(from - 1)) <= tokens) from--;
  return pieces.slice(from);
}

function toBlocks(pages: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  pages.forEach((markdown, i) => {
    for (const raw of markdown.replaceAll('\r\n', '\n').split(/\n\s*\n/)) {
      const text = raw.trim();
      if (text === '') continue;
      heading = /^#{1,6}\s+(.{1,200})/.exec(text)?.[1]?.trim() ?? heading;
      blocks.push({ text, page: i + 1, heading });
    }
  });
  return blocks;
}

/** Coarse to fine. The last one always succeeds: any text can be cut between characters. */
const CUTS: readonly RegExp[] = [/(?<=\n)/, /(?<=[.!?。！？؟]["')\]]?\s)/, /(?<=\s)/];

function toPieces(block: Block, most: number): Piece[] {
  const limit = most - JOIN_TOKENS;
  return split(block.text, limit, 0).map(({ text, tokens }) => ({ ...block, text, tokens }));
}

type Sized = { readonly text: string; readonly tokens: number };

function split(text: string, limit: number, level: number): Sized[] {
  const tokens = countTokens(text);
  if (tokens <= limit) return text.trim() === '' ? [] : [{ text: text.trim(), tokens }];
  const cut = CUTS[level];
  const parts = cut ? text.split(cut) : cutCharacters(text, limit);
  const pieces: Sized[] = [];
  let open = '';
  let openTokens = 0;
  const close = () => {
    if (open.trim() !== '') pieces.push({ text: open.trim(), tokens: openTokens });
    open = '';
    openTokens = 0;
  };
  for (const part of parts) {
    const size = countTokens(part);
    if (openTokens + size > limit) close();
    if (size > limit) pieces.push(...split(part, limit, level + 1));
    else {
      open += part;
      openTokens += size;
    }
  }
  close();
  return pieces;
}

/** A character is at most 6 tokens in cl100k_base; pieces of this many characters fit for certain, and none is torn. */
function cutCharacters(text: string, limit: number): string[] {
  const characters = [...text];
  const width = Math.max(1, Math.floor(limit / 6));
  const parts: string[] = [];
  for (let from = 0; from < characters.length; from += width) parts.push(characters.slice(from, from + width).join(''));
  return parts;
}
