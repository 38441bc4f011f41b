/** All of them, in the order of the table. */
import type { Scenario } from './scenario.ts';
import { PAGE_SCENARIOS } from './scenarios-pages.ts';
import { PROCESS_SCENARIOS } from './scenarios-processes.ts';
import { STORE_SCENARIOS } from './scenarios-stores.ts';
import { VENDOR_SCENARIOS } from './scenarios-vendors.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...VENDOR_SCENARIOS,
  ...PROCESS_SCENARIOS,
  ...STORE_SCENARIOS,
  ...PAGE_SCENARIOS,
];
