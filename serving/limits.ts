/** How long a server waits for a request. */
import { milliseconds } from '#kernel/units.ts';

/** A whole request, its body included: 50 MB at 1.4 Mbit/s. */
export const REQUEST_LIMIT = milliseconds(300_000);
export const HEADERS_LIMIT = milliseconds(20_000);
