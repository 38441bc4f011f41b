/** Log lines that also leave by OTLP, joined to the trace that is current. */
import { logs, SeverityNumber } from '@opentelemetry/api';
import type { Fields, Log } from '#kernel/log.ts';
import { cleanLogFields, cleanText } from './attributes.ts';

const LEVELS = {
  debug: { severityNumber: SeverityNumber.DEBUG, severityText: 'debug' },
  info: { severityNumber: SeverityNumber.INFO, severityText: 'info' },
  warn: { severityNumber: SeverityNumber.WARN, severityText: 'warn' },
  error: { severityNumber: SeverityNumber.ERROR, severityText: 'error' },
} as const;
type Level = keyof typeof LEVELS;

/** Debug lines stay here: they are for the person at the terminal. Of the others only allowed fields leave. */
export function bridgedLog(log: Log, dropped: (count: number) => void, base: Fields = {}): Log {
  const write = (level: Level) => (fields: Fields, message: string) => {
    log[level](fields, message);
    if (level === 'debug') return;
    const { attributes, dropped: count } = cleanLogFields({ ...base, ...fields });
    if (count > 0) dropped(count);
    logs.getLogger('burnline').emit({ ...LEVELS[level], body: cleanText(message), attributes });
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => bridgedLog(log.child(fields), dropped, { ...base, ...fields }),
  };
}
