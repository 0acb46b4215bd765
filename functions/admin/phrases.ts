import type { PreviewedChange } from '../../lib/sync/types.ts';
import type { Visit } from './visit.ts';

/** A value of a field, as a person reads it. */
export function shownValue({ words, format }: Visit, field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (field === 'removed_at') return format.day(String(value));
  return String(value);
}

/** Fields that follow from the others, or that nobody needs to read. */
export const silent = new Set(['is_active', 'removed_at']);

/** What changes from what to what, as one cell of a file. */
export function changeCell(
  visit: Visit,
  { fields, before, after }: Pick<PreviewedChange, 'fields' | 'before' | 'after'>,
): string {
  const shown = fields.filter((field) => !silent.has(field));
  const value = (of: PreviewedChange['before'], field: string) =>
    shownValue(visit, field, of?.[field]);
  return shown
    .map(
      (field) =>
        `${visit.words.fields[field] ?? field}: ${value(before, field)} → ${value(after, field)}`,
    )
    .join('; ');
}

/** A caller as sync_log names it, for people: a service account without its project. */
export function callerWords({ words }: Pick<Visit, 'words'>, caller: string): string {
  const [, person] = /^(.+) via page$/.exec(caller) ?? [];
  if (person !== undefined) return words.viaPage(person);
  if (caller === 'admin-key') return words.adminKey;
  if (caller === 'webhook-key') return words.webhookKey;
  return caller.replace(/@[\w.-]+\.gserviceaccount\.com$/, '');
}

/** Why a change is made, in the language of the visit; not as a sentence of its own. */
export function reasonWords(
  visit: Visit,
  { fields, reason = '' }: Pick<PreviewedChange, 'fields' | 'reason'>,
): string {
  const { words, format } = visit;
  const parts = reason.split('; ').map((part) => {
    const known = words.changeReasons[part];
    if (known !== undefined) return known;
    const [, left] = /^left on (\d{4}-\d\d-\d\d)$/.exec(part) ?? [];
    if (left !== undefined) return words.leftOn(format.day(left));
    if (!part.startsWith('the register has another ')) return part;
    return words.anotherField(fields.map((field) => words.fields[field] ?? field).join(', '));
  });
  return parts.join('; ');
}
