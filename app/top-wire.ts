/** What `burnline top` reads of the answers: of each what it shows. */
import { z } from 'zod';

export const sloShape = z.object({
  id: z.string(),
  service: z.string(),
  objective: z.number(),
  sli: z.number().nullable(),
  budgetRemaining: z.number(),
  verdict: z.enum(['ok', 'burning', 'unknown']),
  severity: z.string().nullable(),
  because: z.string().nullable(),
  exhaustsAt: z.string().nullable(),
});
export type SloView = z.infer<typeof sloShape>;

export const pulseShape = z.object({
  seconds: z.number(),
  finished: z.object({ completed: z.number(), rejected: z.number(), failed: z.number() }),
  unfinished: z.record(z.string(), z.number()),
  oldestUnfinishedSeconds: z.number().nullable(),
  workers: z.array(z.object({ id: z.string(), alive: z.boolean() })),
  vendors: z.array(
    z.object({
      vendor: z.string(),
      calls: z.number(),
      failed: z.number(),
      p95Seconds: z.number().nullable(),
      costUsd: z.number(),
    }),
  ),
  circuits: z.record(z.string(), z.string()),
});
export type Pulse = z.infer<typeof pulseShape>;
