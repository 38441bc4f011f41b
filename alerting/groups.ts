/**
 * A group is looked at: one transaction that reads what is known of it, decides by the pure half (`flush.ts`) and writes
 * everything that follows, messages included.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { groupMessage } from './compose.ts';
import { ofReceiver } from './destination.ts';
import { decideFlush, type Flush, type GroupView } from './flush.ts';
import { type Around, applyChange, draftsOf, send, toldOf } from './incidents.ts';
import { suppressionsOf } from './muting.ts';
import { LOOK_AGAIN, OTHERS_MAY_KNOW, type Setup } from './setup.ts';
import type { Group, Member, Tx } from './store.ts';
import { muteReason } from './time-interval.ts';

/** Looks at the group that has waited longest. @returns false: none is due. */
export async function flushOne(around: Around): Promise<boolean> {
  const { store } = around;
  return await store.tx(async (tx) => {
    const now = around.now();
    const setup = around.setup();
    const group = await tx.lockDueGroup(now);
    if (group === undefined) return false;
    const route = setup.routes.get(group.routeId);
    if (route === undefined) {
      await leaveUnknown(tx, setup, group, now);
      return true;
    }
    const members = await tx.members(group.id);
    const view: GroupView = {
      group,
      route,
      policy: setup.oncall.policies.get(group.receiver),
      members,
      muted: await suppressionsOf(
        tx,
        setup,
        members.map(({ alert }) => alert),
        now,
      ),
      quiet: muteReason(route, setup.config.timeIntervals, now),
      incidents: await tx.unresolvedIncidents(group.id),
    };
    await applyFlush(around, tx, setup, view, decideFlush(view, now), now);
    return true;
  });
}

/** An empty group that could not be dropped is looked at again. */
const DROP_AGAIN = 5_000;

/**
 * Its route is not in our files. If a reload of ours took it away, what fires was put into its new groups then. What
 * another router has put here by other files is that router's to tell: they may be the newer ones.
 */
async function leaveUnknown(tx: Tx, setup: Setup, group: Group, now: Milliseconds): Promise<void> {
  const members = await tx.members(group.id);
  const isOurs = ({ alert }: Member): boolean =>
    alert.config === setup.version || alert.endsAt <= now - OTHERS_MAY_KNOW;
  const ours = members.filter(isOurs);
  await tx.leave(
    group.id,
    ours.map(({ alert }) => alert.fingerprint),
  );
  await tx.saveGroup({ ...group, dueAt: (now + LOOK_AGAIN) as Milliseconds }, members.length - ours.length);
  if (ours.length === members.length) await tx.dropGroup(group.id);
}

async function applyFlush(
  around: Around,
  tx: Tx,
  setup: Setup,
  view: GroupView,
  flush: Flush,
  now: Milliseconds,
): Promise<void> {
  const { group } = view;
  let opened: string | undefined;
  for (const change of flush.incidents) {
    const id = await applyChange(around, tx, setup, view, change, now);
    opened ??= id;
  }
  if (flush.tell !== undefined) {
    const told = await toldOf(tx, [...flush.tell.firing, ...flush.tell.resolved], now);
    const message = groupMessage(group, flush.tell, told, setup.links);
    const integrations = setup.config.receivers.get(group.receiver)?.integrations ?? [];
    const to = ofReceiver(group.receiver, integrations).filter(
      ({ integration }) => message.status === 'firing' || integration.sendResolved,
    );
    await send(around, tx, { groupId: group.id }, draftsOf(to, group.id, 2, message), now);
  }
  // What was kept quiet beside an incident that opened with it belongs to its story.
  await tx.addTimeline(flush.timeline.map((row) => ({ ...row, incidentId: row.incidentId ?? opened })));
  await tx.tell(group.id, undefined, flush.forgotten);
  await tx.tell(group.id, 'firing', flush.nowFiring);
  await tx.leave(group.id, flush.leaving);
  const toldAt = flush.tell === undefined && flush.incidents.length === 0 ? group.toldAt : now;
  await tx.saveGroup(
    {
      id: group.id,
      dueAt: flush.dueAt ?? ((now + DROP_AGAIN) as Milliseconds),
      flushedAt: now,
      toldAt,
    },
    view.members.length,
  );
  if (flush.dueAt === undefined) await tx.dropGroup(group.id);
}
