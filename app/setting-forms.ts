/** Forms that several settings have. */
import { z } from 'zod';

export const url = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
