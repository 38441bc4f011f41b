/** The buttons that answer an incident: one tap each, large enough for a thumb. */
import { useRef, useState } from 'preact/hooks';
import { answer } from '#console/web/data/acts.ts';
import { may } from '#console/web/data/session.ts';
import type { Incident } from '#console/web/data/wire.ts';
import { focusContent } from './focus.ts';
import { Field, useSubmit } from './form.tsx';

const SNOOZES = [
  { minutes: 15, words: '15 min' },
  { minutes: 60, words: '1 h' },
  { minutes: 240, words: '4 h' },
] as const;

export function AcknowledgeButton({ incident }: { readonly incident: Incident }) {
  const [isSending, setSending] = useState(false);
  if (incident.state !== 'open' || !may('incidents:act')) return null;
  const press = async () => {
    setSending(true);
    const isTaken = await answer(incident, 'acknowledge');
    setSending(false);
    if (isTaken) focusContent();
  };
  return (
    <button
      type="button"
      class="primary"
      disabled={isSending}
      onClick={() => void press()}
      aria-label={`Acknowledge incident ${incident.number}`}
    >
      {isSending ? 'Acknowledging' : 'Acknowledge'}
    </button>
  );
}

/** All that can be done to one incident. */
export function Acts({ incident }: { readonly incident: Incident }) {
  if (!may('incidents:act')) {
    return <p class="quiet">You may look, not answer: that takes the role responder or operator.</p>;
  }
  return (
    <div class="stack unprinted">
      {incident.state !== 'resolved' && (
        <div class="row acts">
          <AcknowledgeButton incident={incident} />
          <ResolveButton incident={incident} />
          <SnoozeButton incident={incident} />
        </div>
      )}
      <NoteForm incident={incident} />
    </div>
  );
}

function ResolveButton({ incident }: { readonly incident: Incident }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const confirm = async () => {
    dialog.current?.close();
    if (await answer(incident, 'resolve')) focusContent();
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Resolve
      </button>
      <dialog ref={dialog} aria-labelledby="resolve-title">
        <h2 id="resolve-title">Resolve #{incident.number}?</h2>
        <p>It ends for everybody, also where alerts in it still fire. By itself it is resolved when they have ended.</p>
        <div class="row">
          <button type="button" class="primary" onClick={() => void confirm()}>
            Resolve it
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it open
          </button>
        </div>
      </dialog>
    </>
  );
}

function SnoozeButton({ incident }: { readonly incident: Incident }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const choose = async (minutes: number) => {
    dialog.current?.close();
    await answer(incident, 'snooze', { minutes });
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Snooze
      </button>
      <dialog ref={dialog} aria-labelledby="snooze-title">
        <h2 id="snooze-title">Snooze #{incident.number}</h2>
        <p>Nobody is woken for so long; then it opens again and the policy begins anew.</p>
        <div class="row">
          {SNOOZES.map(({ minutes, words }) => (
            <button key={minutes} type="button" onClick={() => void choose(minutes)}>
              {words}
            </button>
          ))}
          <button type="button" class="plain" onClick={() => dialog.current?.close()}>
            Not now
          </button>
        </div>
      </dialog>
    </>
  );
}

function NoteForm({ incident }: { readonly incident: Incident }) {
  const [text, setText] = useState('');
  const check = (): Record<string, string> => (text.trim() === '' ? { text: 'There is nothing to note yet' } : {});
  const { faults, isSending, submit } = useSubmit(check, async () => {
    if (await answer(incident, 'notes', { text: text.trim() })) setText('');
  }, ['text']);
  return (
    <form class="form" onSubmit={submit} noValidate>
      <Field label="Note for the timeline" wrong={faults['text']}>
        {(ties) => (
          <textarea
            {...ties}
            rows={2}
            maxLength={10_000}
            value={text}
            onInput={(e) => setText(e.currentTarget.value)}
          />
        )}
      </Field>
      <div>
        <button type="submit" class="small" disabled={isSending}>
          Add the note
        </button>
      </div>
    </form>
  );
}
