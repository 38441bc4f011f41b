/** How much of an error budget is left. */
import { percent } from '#console/web/text/format.ts';
import type { Tone } from './badges.tsx';

const LOW = 0.25;

const toneOfBudget = (left: number): Tone => (left <= 0 ? 'critical' : left < LOW ? 'warning' : 'ok');

export function BudgetBar({ left, name }: { readonly left: number; readonly name: string }) {
  const shown = Math.min(1, Math.max(0, left));
  return (
    <div
      class={`bar-outer ${toneOfBudget(left)}`}
      role="img"
      aria-label={`Error budget of ${name}: ${budgetWords(left)}`}
    >
      <div class="bar-inner" style={{ width: `${shown * 100}%` }} />
    </div>
  );
}

/** "82.1 % left", or by how much it is overspent. */
export const budgetWords = (left: number): string =>
  left >= 0 ? `${percent(left)} left` : `overspent by ${percent(-left)}`;
