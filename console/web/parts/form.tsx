/** Forms: a label for each field, what is wrong beside it, and one button that says what it does. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { faultsByField } from '#console/web/text/faults.ts';

export type Faults = Readonly<Record<string, string>>;

type FieldProps = {
  readonly label: string;
  readonly help?: string;
  readonly wrong?: string | undefined;
  /** Given what ties the input to its label, its help and its fault. */
  readonly children: (ties: {
    readonly id: string;
    readonly 'aria-describedby': string;
    readonly 'aria-invalid': boolean;
  }) => ComponentChildren;
};

export function Field({ label, help, wrong, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-help ${id}-wrong`, 'aria-invalid': wrong !== undefined })}
      <span id={`${id}-help`} class="help">
        {help}
      </span>
      <span id={`${id}-wrong`} class="wrong" role={wrong === undefined ? undefined : 'alert'}>
        {wrong}
      </span>
    </div>
  );
}

type Submitting = {
  readonly faults: Faults;
  /** What the router refused that belongs to no field. */
  readonly refused: string | undefined;
  readonly isSending: boolean;
  readonly submit: (event: Event) => void;
};

/**
 * @param check what is wrong before anybody is asked, by field
 * @param act throws a `Problem`, whose words are put beside the field that they name; of any other fault the words are shown
 */
export function useSubmit(check: () => Faults, act: () => Promise<void>, fields: readonly string[]): Submitting {
  const [faults, setFaults] = useState<Faults>({});
  const [refused, setRefused] = useState<string>();
  const [isSending, setSending] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = check();
    setFaults(found);
    setRefused(undefined);
    if (Object.keys(found).length > 0) return focusFirstFault(form);
    setSending(true);
    try {
      await act();
    } catch (error) {
      const { byField, rest } = faultsByField(error instanceof Error ? error.message : String(error), fields);
      setFaults(byField);
      setRefused(rest);
      focusFirstFault(form);
    } finally {
      setSending(false);
    }
  };
  return { faults, refused, isSending, submit: (event) => void submit(event) };
}

const focusFirstFault = (form: HTMLFormElement): void => {
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
};

export const Refused = ({ children }: { readonly children: string | undefined }) =>
  children === undefined ? null : (
    <p class="fault" role="alert">
      {children}
    </p>
  );
