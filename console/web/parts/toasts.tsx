/** What came of an act: said once, read out, and gone by itself unless it is a fault. */
import { signal } from '@preact/signals';

type Toast = { readonly id: number; readonly text: string; readonly isFault: boolean };
const toasts = signal<readonly Toast[]>([]);
let last = 0;

const SEEN_FOR = 6_000;
const MOST = 3;

export function say(text: string, kind: 'done' | 'fault' = 'done'): void {
  const toast: Toast = { id: ++last, text, isFault: kind === 'fault' };
  toasts.value = [...toasts.value, toast].slice(-MOST);
  if (!toast.isFault) setTimeout(() => close(toast.id), SEEN_FOR);
}

export const sayFault = (error: unknown): void => say(error instanceof Error ? error.message : String(error), 'fault');

const close = (id: number): void => {
  toasts.value = toasts.value.filter((one) => one.id !== id);
};

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isFault }) => (
        <div key={id} class={isFault ? 'toast fault' : 'toast'}>
          <span class="foreign">{text}</span>
          <button type="button" class="small" onClick={() => close(id)}>
            Close
          </button>
        </div>
      ))}
    </div>
  );
}
