/**
 * What may leave in an attribute of a span or an exported log line: the keys listed here and nothing else. No document
 * text, file name, header, key, SQL parameter or error message has a key in this list, so none can get out by
 * carelessness; a value that looks like a credential is hidden even under an allowed key.
 *
 * Pure. Names: https://opentelemetry.io/docs/specs/semconv/ (http, db, messaging, gen_ai), then ours.
 */
export const ALLOWED_KEYS = [
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'http.request.body.size',
  'url.scheme',
  'url.path',
  'url.full',
  'server.address',
  'server.port',
  'network.protocol.version',
  'error.type',
  'exception.type',
  'db.system.name',
  'db.operation.name',
  'db.query.summary',
  'db.query.text',
  'db.response.returned_rows',
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.message.id',
  'messaging.message.conversation_id',
  'messaging.batch.message_count',
  'messaging.client.id',
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.request.encoding_formats',
  'gen_ai.response.id',
  'gen_ai.response.model',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.embeddings.dimension.count',
  'burnline.correlation_id',
  'burnline.tenant',
  'burnline.document.id',
  'burnline.document.status',
  'burnline.document.content_type',
  'burnline.document.bytes',
  'burnline.document.pages',
  'burnline.document.chunks',
  'burnline.document.tokens',
  'burnline.document.canary',
  'burnline.job.id',
  'burnline.job.attempt',
  'burnline.job.waited_ms',
  'burnline.step',
  'burnline.outcome',
  'burnline.because',
  'burnline.cache',
  'burnline.vendor',
  'burnline.vendor.job_id',
  'burnline.vendor.credits',
  'burnline.cost_usd',
  'burnline.incident.id',
  'burnline.alert.name',
  'burnline.channel',
  'burnline.notification.id',
] as const;

export type AttributeKey = (typeof ALLOWED_KEYS)[number];
export type AttributeValue = string | number | boolean | readonly string[];
export type SpanAttributes = { readonly [K in AttributeKey]?: AttributeValue | undefined };

/** Fields of our own log lines that may also leave by OTLP, beside `ALLOWED_KEYS`: ids, codes, counts, spans of time. */
export const ALLOWED_LOG_FIELDS = [
  'role',
  'component',
  'code',
  'step',
  'vendor',
  'outcome',
  'status',
  'from',
  'to',
  'attempt',
  'attempts',
  'count',
  'documentId',
  'jobId',
  'workerId',
  'incidentId',
  'notificationId',
  'tenant',
  'limitMs',
  'durationMs',
  'waitMs',
  'retryable',
  'port',
  'traceId',
  'spanId',
  'correlationId',
] as const;

/** Longer values are cut: an attribute is for finding and counting, not for reading. */
const VALUE_CHARS_MAX = 256;
/** Our statements are constants of up to about this length; their parameters never come here. */
const QUERY_CHARS_MAX = 2000;
const HIDDEN = '[redacted]';

/**
 * Shapes of credentials: our keys, OpenAI, LlamaCloud, Slack tokens and hooks, bearer and basic headers, JWTs, PEM.
 * A second belt: the keys above carry no such thing if nobody errs.
 */
const CREDENTIAL =
  /\bbl_[A-Za-z0-9]{6,}_[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9_-]{16,}|\bllx-[A-Za-z0-9_-]{16,}|\bxox[a-z]-[A-Za-z0-9-]{10,}|hooks\.slack\.com\/services\/\S+|\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.|-----BEGIN [A-Z ]+-----/i;

const KEYS: ReadonlySet<string> = new Set(ALLOWED_KEYS);
const LOG_FIELDS: ReadonlySet<string> = new Set(ALLOWED_LOG_FIELDS);

type Cleaned = { readonly attributes: Record<string, AttributeValue>; readonly dropped: number };

/** What may leave of a span's attributes, and how many may not. */
export const cleanAttributes = (attributes: object): Cleaned => clean(attributes, (key) => KEYS.has(key));

/** The same for a log line's fields. */
export const cleanLogFields = (fields: object): Cleaned => clean(fields, (key) => LOG_FIELDS.has(key) || KEYS.has(key));

function clean(attributes: object, allowed: (key: string) => boolean): Cleaned {
  const kept: Record<string, AttributeValue> = {};
  let dropped = 0;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    const safe = allowed(key) ? cleanValue(key, value) : undefined;
    if (safe === undefined) dropped++;
    else kept[key] = safe;
  }
  return { attributes: kept, dropped };
}

function cleanValue(key: string, value: unknown): AttributeValue | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item) => cleanText(String(item), VALUE_CHARS_MAX));
  if (typeof value !== 'string') return undefined;
  if (key === 'url.full') return cleanUrl(value);
  return cleanText(value, key === 'db.query.text' ? QUERY_CHARS_MAX : VALUE_CHARS_MAX);
}

export function cleanText(text: string, most = VALUE_CHARS_MAX): string {
  if (CREDENTIAL.test(text)) return HIDDEN;
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Without user, password, query and fragment: a signed address is a credential in its query. */
function cleanUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? HIDDEN : cleanText(`${url.protocol}//${url.host}${url.pathname}`);
}
