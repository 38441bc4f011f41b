/** The router's refusals name their fields (`body "minutes": expected …; body "by": …`): each is put beside its own. Pure. */

const NAMED = /^(?:body|parameter|path|header) "([^"]+)":\s*(.*)$/s;

export type ByField = {
  readonly byField: Readonly<Record<string, string>>;
  /** What names no field of this form. */
  readonly rest: string | undefined;
};

/** @param fields of the form; `matchers` takes `matchers.0.value`, too. */
export function faultsByField(detail: string, fields: readonly string[]): ByField {
  const byField: Record<string, string> = {};
  const rest: string[] = [];
  for (const part of detail.split(/;\s+(?=(?:body|parameter|path|header) ")/)) {
    const [, name = '', words = ''] = NAMED.exec(part) ?? [];
    const field = fields.find((one) => name === one || name.startsWith(`${one}.`));
    if (field === undefined) rest.push(part);
    else byField[field] = field in byField ? `${byField[field]}; ${words}` : words;
  }
  return { byField, rest: rest.length === 0 ? undefined : rest.join('; ') };
}
