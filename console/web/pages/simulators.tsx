/** Embedded mode only: what reached people, and switches that break a vendor. */
import { tellFault } from '#console/web/data/acts.ts';
import { get, send } from '#console/web/data/api.ts';
import { reload, useResource } from '#console/web/data/resource.ts';
import { may } from '#console/web/data/session.ts';
import { Badge } from '#console/web/parts/badges.tsx';
import { Choice, useFilters } from '#console/web/parts/filters.tsx';
import { Empty, Show } from '#console/web/parts/states.tsx';
import { At } from '#console/web/parts/time.tsx';
import { useTitle } from '#console/web/parts/title.ts';
import { say } from '#console/web/parts/toasts.tsx';
import { bodyText, FAULTS, type InboxMessage, VENDORS } from '#console/web/text/simulators.ts';
import { MessageText } from './simulators-message.tsx';

type Plans = Readonly<Record<string, unknown>>;
const OFTEN = 2_000;

export function SimulatorsPage() {
  useTitle('Simulators');
  return (
    <div class="stack">
      <h1>Simulators</h1>
      <p class="quiet">
        They stand for the vendors on this machine: nothing leaves it. Break one here and see what Burnline does.
      </p>
      <Switches />
      <Inbox />
    </div>
  );
}

function Switches() {
  const plans = useResource<Plans>({
    key: 'faults',
    load: (signal) => get('api/v1/simulators/faults', {}, signal),
    options: { every: OFTEN },
  });
  return (
    <section class="panel" aria-labelledby="faults-title">
      <div class="row apart">
        <h2 id="faults-title">Break a vendor</h2>
        {may('router:configure') && (
          <button
            type="button"
            class="small"
            onClick={() => void change('DELETE', 'faults', undefined, 'All vendors are well.')}
          >
            Mend all
          </button>
        )}
      </div>
      <Show of={plans}>
        {(now) => (
          <ul class="cards">
            {VENDORS.map((vendor) => (
              <Vendor key={vendor.name} {...vendor} plan={now[vendor.name]} />
            ))}
          </ul>
        )}
      </Show>
    </section>
  );
}

type VendorProps = { readonly name: string; readonly title: string; readonly plan: unknown };

function Vendor({ name, title, plan }: VendorProps) {
  const isBroken = plan !== undefined && plan !== null && Object.keys(plan).length > 0;
  return (
    <li class="vendor">
      <div class="row">
        <strong>{title}</strong>
        <Badge tone={isBroken ? 'critical' : 'ok'}>{isBroken ? 'Broken' : 'Well'}</Badge>
        {isBroken && <code>{JSON.stringify(plan)}</code>}
      </div>
      {may('router:configure') && (
        <div class="row">
          {FAULTS.filter(({ only }) => only === undefined || only.includes(name)).map(({ words, plan: fault }) => (
            <button
              key={words}
              type="button"
              class="small"
              aria-label={`${title}: ${words}`}
              onClick={() => void change('PUT', `faults/${name}`, fault, `${title}: ${words.toLowerCase()}.`)}
            >
              {words}
            </button>
          ))}
          <button
            type="button"
            class="small"
            aria-label={`${title}: mend`}
            onClick={() => void change('DELETE', `faults/${name}`, undefined, `${title} is well.`)}
          >
            Mend
          </button>
        </div>
      )}
    </li>
  );
}

async function change(method: 'PUT' | 'DELETE', path: string, body: unknown, done: string): Promise<void> {
  try {
    await send(method, `api/v1/simulators/${path}`, body);
    say(done);
  } catch (error) {
    tellFault(error);
  } finally {
    reload('faults', 'inbox');
  }
}

const CHANNELS = [
  ['', 'All'],
  ['pagerduty', 'PagerDuty'],
  ['slack', 'Slack'],
  ['email', 'E-mail'],
] as const;
/** The newest: the simulators keep more. */
const MOST = 100;

function Inbox() {
  const [{ channel }, set] = useFilters(['channel']);
  const query = channel === '' ? {} : { channel };
  const inbox = useResource<InboxMessage[]>({
    key: `inbox/${channel}`,
    load: (signal) => get('api/v1/simulators/inbox', query, signal),
    options: { every: OFTEN, on: ['notification'] },
  });
  return (
    <section class="panel" aria-labelledby="inbox-title">
      <div class="row apart">
        <h2 id="inbox-title">What reached people</h2>
        {may('router:configure') && (
          <button
            type="button"
            class="small"
            onClick={() => void change('DELETE', 'inbox', undefined, 'The inbox is empty.')}
          >
            Empty it
          </button>
        )}
      </div>
      <Choice label="Channel" value={channel} options={CHANNELS} onChange={(value) => set('channel', value)} />
      <Show of={inbox}>
        {(all) =>
          all.length === 0 ? (
            <Empty big="Nobody has been told anything">{undefined}</Empty>
          ) : (
            <ul class="cards">
              {all
                .slice(-MOST)
                .toReversed()
                .map((message, i) => (
                  <li key={`${message.at}${all.length - i}`} class="panel">
                    <div class="row">
                      <Badge tone="info">{message.channel}</Badge>
                      <span class="quiet">
                        <At at={message.at} seconds /> to <span class="foreign">{message.target}</span>
                      </span>
                    </div>
                    <MessageText text={bodyText(message)} />
                  </li>
                ))}
            </ul>
          )
        }
      </Show>
    </section>
  );
}
