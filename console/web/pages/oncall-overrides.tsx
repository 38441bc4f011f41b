/** The overrides of a schedule, and the end of one. */
import { tellFault } from '#console/web/data/acts.ts';
import { send } from '#console/web/data/api.ts';
import { reload } from '#console/web/data/resource.ts';
import type { Calendar } from '#console/web/data/wire.ts';
import { At } from '#console/web/parts/time.tsx';
import { say } from '#console/web/parts/toasts.tsx';

type Props = { readonly calendar: Calendar; readonly mayChange: boolean };

export function Overrides({ calendar: { overrides }, mayChange }: Props) {
  if (overrides.length === 0) return null;
  return (
    <div>
      <h3>Overrides</h3>
      <ul class="cards">
        {overrides.map((override) => (
          <li key={override.id ?? override.from} class="row apart">
            <span>
              <strong class="foreign">{override.displayName}</strong> from <At at={override.from} /> to{' '}
              <At at={override.to} />{' '}
              <span class="quiet foreign">
                {override.fromFile ? 'by oncall.yaml' : `by ${override.createdBy ?? 'somebody'}`}
                {override.because !== null && `: ${override.because}`}
              </span>
            </span>
            {mayChange && override.id !== null && (
              <button
                type="button"
                class="small"
                aria-label={`Take back the override of ${override.displayName}`}
                onClick={() => void takeBack(override.id ?? '')}
              >
                Take back
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

async function takeBack(id: string): Promise<void> {
  try {
    await send('DELETE', `api/v1/oncall/overrides/${encodeURIComponent(id)}`);
    say('The override is taken back.');
  } catch (error) {
    tellFault(error);
  } finally {
    reload('oncall');
  }
}
