/** The plans in force. A plan begins its vendor's chance anew: same seed, same requests, same faults. */
import { type Random, seededRandom } from '#kernel/random.ts';
import { decideFault, type Fate, type FaultPlan, SERVED, VENDORS, type Vendor } from './faults.ts';

type Entry = {
  readonly plan: FaultPlan;
  readonly random: Random;
  requests: number;
  hits: number;
  /** LlamaParse only: what is left of `plan.credits`. */
  creditsLeft: number | undefined;
};

export type FaultBoard = {
  plan(vendor: Vendor): FaultPlan | undefined;
  set(vendor: Vendor, plan: FaultPlan): void;
  /** Without a vendor: all of them heal. */
  clear(vendor?: Vendor): void;
  decide(vendor: Vendor, operation: string): Fate;
  /** Undefined while no plan limits them. */
  creditsLeft(): number | undefined;
  charge(credits: number): void;
  snapshot(): Record<Vendor, Record<string, unknown> | null>;
};

export function makeFaultBoard(seed: number): FaultBoard {
  const entries = new Map<Vendor, Entry>();
  return {
    plan: (vendor) => entries.get(vendor)?.plan,
    set: (vendor, plan) => {
      const random = seededRandom((plan.seed ?? seed) + VENDORS.indexOf(vendor));
      entries.set(vendor, { plan, random, requests: 0, hits: 0, creditsLeft: plan.credits });
    },
    clear: (vendor) => {
      if (vendor === undefined) entries.clear();
      else entries.delete(vendor);
    },
    decide: (vendor, operation) => {
      const entry = entries.get(vendor);
      if (!entry || (entry.plan.operation !== undefined && entry.plan.operation !== operation)) return SERVED;
      entry.requests++;
      const fate = decideFault(entry.plan, entry.random);
      if (fate.kind === 'served') return fate;
      if (entry.hits >= (entry.plan.times ?? Number.POSITIVE_INFINITY)) return SERVED;
      entry.hits++;
      return fate;
    },
    creditsLeft: () => entries.get('llamaparse')?.creditsLeft,
    charge: (credits) => {
      const entry = entries.get('llamaparse');
      if (entry?.creditsLeft !== undefined) entry.creditsLeft -= credits;
    },
    snapshot: () => {
      const shown = VENDORS.map((vendor) => {
        const entry = entries.get(vendor);
        if (!entry) return [vendor, null] as const;
        const left = entry.creditsLeft === undefined ? {} : { creditsLeft: entry.creditsLeft };
        return [vendor, { ...entry.plan, requests: entry.requests, hits: entry.hits, ...left }] as const;
      });
      return Object.fromEntries(shown) as Record<Vendor, Record<string, unknown> | null>;
    },
  };
}
