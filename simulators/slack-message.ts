/**
 * What Slack takes as a message: the limits of webhooks and of Block Kit. Pure.
 * Source: docs.slack.dev, "Sending messages using incoming webhooks" and the Block Kit reference.
 */
type Fields = Readonly<Record<string, unknown>>;

const MOST_BLOCKS = 50;
const MOST_ATTACHMENTS = 100;
const LONGEST_TEXT = 40_000;
/** All blocks together, as JSON. Observed, not documented. */
const LONGEST_BLOCKS = 13_200;
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3000;
const MOST_SECTION_FIELDS = 10;
const LONGEST_SECTION_FIELD = 2000;
const MOST_CONTEXT_ELEMENTS = 10;
const MOST_ACTIONS = 25;
const LONGEST_BUTTON = 75;
const LONGEST_BUTTON_VALUE = 2000;
const LONGEST_URL = 3000;
const LONGEST_ALT = 2000;
const LONGEST_ID = 255;
const LONGEST_MARKDOWN = 12_000;

export type SlackRefusal =
  | 'invalid_payload'
  | 'no_text'
  | 'invalid_blocks'
  | 'msg_blocks_too_long'
  | 'too_many_attachments'
  | 'msg_too_long';
export type CheckedMessage =
  | { readonly kind: 'accepted'; readonly message: Fields }
  /** `because` is for whoever reads the simulator's log; Slack itself says no more than the code. */
  | { readonly kind: 'refused'; readonly code: SlackRefusal; readonly because: string };

export function checkMessage(body: unknown): CheckedMessage {
  const message = record(body);
  const refuse = (code: SlackRefusal, because: string): CheckedMessage => ({ kind: 'refused', code, because });
  if (!message) return refuse('invalid_payload', 'The payload is not a JSON object');
  const { text, blocks, attachments } = message;
  if (text !== undefined && typeof text !== 'string') return refuse('invalid_payload', 'text is not a string');
  if (blocks !== undefined && !Array.isArray(blocks)) return refuse('invalid_blocks', 'blocks is not a list');
  if (attachments !== undefined && !Array.isArray(attachments))
    return refuse('invalid_payload', 'attachments is not a list');
  const attached = (attachments ?? []).map(record);
  if (!text && !blocks?.length && attached.length === 0)
    return refuse('no_text', 'There is no text, block or attachment');
  if ((text?.length ?? 0) > LONGEST_TEXT)
    return refuse('msg_too_long', `text has ${text?.length} characters, ${LONGEST_TEXT} are allowed`);
  if (attached.length > MOST_ATTACHMENTS) return refuse('too_many_attachments', `${attached.length} attachments`);
  const all = [blocks ?? [], ...attached.map((one) => (Array.isArray(one?.['blocks']) ? one['blocks'] : []))];
  for (const list of all) {
    const because = blocksFault(list);
    if (because) return refuse('invalid_blocks', because);
  }
  const length = all.reduce((sum, list) => sum + (list.length > 0 ? JSON.stringify(list).length : 0), 0);
  if (length > LONGEST_BLOCKS)
    return refuse('msg_blocks_too_long', `Blocks of ${length} characters, ${LONGEST_BLOCKS} are allowed`);
  return { kind: 'accepted', message };
}

function blocksFault(blocks: readonly unknown[]): string | undefined {
  if (blocks.length > MOST_BLOCKS) return `${blocks.length} blocks, ${MOST_BLOCKS} are allowed`;
  const seen = new Set<unknown>();
  for (const [at, one] of blocks.entries()) {
    const block = record(one);
    if (!block) return `blocks[${at}] is not an object`;
    const id = block['block_id'];
    const because = idFault(id, seen) ?? blockFault(block);
    if (because) return `blocks[${at}] (${String(block['type'])}): ${because}`;
    if (id !== undefined) seen.add(id);
  }
  return undefined;
}

function idFault(id: unknown, seen: ReadonlySet<unknown>): string | undefined {
  if (id === undefined) return undefined;
  if (seen.has(id)) return `block_id ${String(id)} is used twice`;
  return typeof id === 'string' && id.length <= LONGEST_ID
    ? undefined
    : `block_id must be a string of at most ${LONGEST_ID}`;
}

function blockFault(block: Fields): string | undefined {
  switch (block['type']) {
    case 'header':
      return textFault(block['text'], LONGEST_HEADER, ['plain_text']);
    case 'section':
      return sectionFault(block);
    case 'context':
      return listFault(block['elements'], MOST_CONTEXT_ELEMENTS, (one) =>
        one['type'] === 'image' ? imageFault(one) : textFault(one, LONGEST_SECTION, ['plain_text', 'mrkdwn']),
      );
    case 'actions':
      return listFault(block['elements'], MOST_ACTIONS, elementFault);
    case 'image':
      return imageFault(block);
    case 'markdown':
      return typeof block['text'] === 'string' && block['text'].length <= LONGEST_MARKDOWN
        ? undefined
        : `text must be a string of at most ${LONGEST_MARKDOWN}`;
    case 'divider':
    case 'rich_text':
    case 'table':
    case 'video':
    case 'file':
    case 'input':
      return undefined; // their insides are not checked
    default:
      return 'is not a known type of block';
  }
}

function sectionFault(block: Fields): string | undefined {
  const { text, fields, accessory } = block;
  if (text === undefined && fields === undefined) return 'needs text or fields';
  const accessoryFault = record(accessory) && elementFault(accessory as Fields);
  return (
    (text === undefined ? undefined : textFault(text, LONGEST_SECTION, ['plain_text', 'mrkdwn'])) ??
    (fields === undefined
      ? undefined
      : listFault(fields, MOST_SECTION_FIELDS, (one) =>
          textFault(one, LONGEST_SECTION_FIELD, ['plain_text', 'mrkdwn']),
        )) ??
    (accessoryFault || undefined)
  );
}

function elementFault(element: Fields): string | undefined {
  if (element['type'] === 'image') return imageFault(element);
  if (element['type'] !== 'button') return undefined; // menus and pickers are not checked
  if (!fits(element['value'], LONGEST_BUTTON_VALUE))
    return `a button's value may have ${LONGEST_BUTTON_VALUE} characters`;
  if (!fits(element['url'], LONGEST_URL)) return `a button's url may have ${LONGEST_URL} characters`;
  if (!fits(element['action_id'], LONGEST_ID)) return `an action_id may have ${LONGEST_ID} characters`;
  return textFault(element['text'], LONGEST_BUTTON, ['plain_text']);
}

function imageFault(image: Fields): string | undefined {
  if (typeof image['alt_text'] !== 'string' || image['alt_text'].length > LONGEST_ALT)
    return 'an image needs an alt_text';
  if (image['slack_file'] !== undefined) return undefined;
  return typeof image['image_url'] === 'string' && image['image_url'].length <= LONGEST_URL
    ? undefined
    : 'an image needs an image_url';
}

function listFault(value: unknown, most: number, check: (one: Fields) => string | undefined): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return 'needs a list with at least one element';
  if (value.length > most) return `has ${value.length} elements, ${most} are allowed`;
  for (const one of value) {
    const fields = record(one);
    const because = fields ? check(fields) : 'holds something that is no object';
    if (because) return because;
  }
  return undefined;
}

function textFault(value: unknown, longest: number, types: readonly string[]): string | undefined {
  const fields = record(value);
  if (!fields || !types.includes(String(fields['type']))) return `needs a text object of type ${types.join(' or ')}`;
  const { text } = fields;
  if (typeof text !== 'string' || text === '') return 'holds an empty text';
  return text.length <= longest ? undefined : `holds a text of ${text.length} characters, ${longest} are allowed`;
}

const fits = (value: unknown, longest: number): boolean =>
  value === undefined || (typeof value === 'string' && value.length <= longest);
const record = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
