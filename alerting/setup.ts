/** What is in force: the two files, read, and what follows from them. Replaced as a whole at a reload. */
import { milliseconds } from '#kernel/units.ts';
import type { LinkMaker } from './compose.ts';
import type { AlertmanagerConfig, Route } from './config/config.ts';
import { type Directory, directoryOf } from './destination.ts';
import type { Who } from './escalation.ts';
import type { Oncall } from './oncall/model.ts';
import { type StoredOverride, withStored } from './oncall/override.ts';
import { onDuty } from './oncall/schedule.ts';
import { allRoutes } from './route.ts';

export type Setup = {
  readonly config: AlertmanagerConfig;
  readonly oncall: Oncall;
  /** Of both texts: alerts remember under which one their groups were found. */
  readonly version: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly directory: Directory;
  readonly who: Who;
  readonly links: LinkMaker;
};

/**
 * Routers of one store read new files one after the other: what this one does not know may be what the others know. It is
 * left to them for so long, and looked at again each time after a little.
 */
export const OTHERS_MAY_KNOW = milliseconds(60_000);
export const LOOK_AGAIN = milliseconds(2_000);

/** With what people have overridden since the files were written, and nothing else of the kind. */
export function withOverrides(setup: Setup, overrides: readonly StoredOverride[]): Setup {
  const oncall = withStored(setup.oncall, overrides);
  const duty: Who['onDuty'] = (name, at) => {
    const schedule = oncall.schedules.get(name);
    return schedule === undefined ? [] : onDuty(schedule, at);
  };
  return { ...setup, oncall, who: { ...setup.who, oncall, onDuty: duty } };
}

export function makeSetup(
  config: AlertmanagerConfig,
  oncall: Oncall,
  version: string,
  duty: Who['onDuty'],
  links: LinkMaker,
): Setup {
  return {
    config,
    oncall,
    version,
    links,
    routes: new Map([...allRoutes(config.root)].map((route) => [route.id, route])),
    directory: directoryOf(config.receivers, oncall.people),
    who: { receivers: config.receivers, oncall, onDuty: duty },
  };
}
