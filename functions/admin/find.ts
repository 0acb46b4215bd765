import type { Answer } from '../../lib/http/answer.ts';
import { hasCheckDigit, normaliseKennitala } from '../../lib/kennitala.ts';
import { isPersonalId } from '../../lib/redact.ts';
import type { Credential } from '../../lib/secrets.ts';
import { readMember } from '../logs/history.ts';
import { djangoId } from '../sync/schema.ts';
import { type Acting, seeOther } from './acting.ts';
import { memberView } from './memberView.tsx';
import { search } from './reads.ts';
import type { Visit } from './visit.ts';
import type { Words } from './words/is.ts';

/** Leads to the one member that was meant, or shows those who may be. What was typed is in no address and no log. */
export async function find(
  database: Credential,
  visit: Visit,
  { form, log }: Acting,
): Promise<Answer> {
  const whom = (form.get('whom') ?? '').replace(/\p{Cc}/gu, '').trim();
  const kennitala = normaliseKennitala(whom);
  // An id is most often a number. One without a digit may be a name, which the server's log must not get.
  const isId = /^\S*\d\S*$/.test(whom) && djangoId.safeParse(whom).success && !isPersonal(whom);
  const asked = kennitala ? { kennitala } : isId ? { external_id: whom } : undefined;
  const address = asked && (await addressOf(database, visit, asked));
  if (address !== undefined) return seeOther(visit, address);
  if (kennitala) return memberView(visit, { nobody: whyNobody(visit.words, whom) });
  const found = whom === '' ? [] : await search(database, whom);
  log('NOTICE', 'members_read', 'somebody searched for members by name', {
    caller: visit.person.name,
    external_ids: found.map(({ external_id }) => external_id),
    rows: found.map(({ id }) => id),
  });
  const nobody = found.length === 0 ? whyNobody(visit.words, whom) : undefined;
  return memberView(visit, { found, nobody, searched: isPersonal(whom) ? undefined : whom });
}

/** Why nobody was found by this, as far as it can be told from what was typed; pure. */
export function whyNobody(words: Words, whom: string): string {
  const kennitala = normaliseKennitala(whom);
  if (kennitala) {
    // Those issued since 18 February 2026 have no check digit (skra.is): it is a hint, and no proof.
    return hasCheckDigit(kennitala)
      ? words.noKennitala
      : `${words.noKennitala} ${words.checkKennitala}`;
  }
  if (/^\d{6,9}$|^\d{6}-\d*$/.test(whom)) return words.partKennitala;
  return [...whom].length < 2 && !/\d/.test(whom) ? words.searchShort : words.nobody;
}

// What is typed may be an address, or most of a kennitala.
const isPersonal = (typed: string) => isPersonalId(typed, undefined) || /^\d{6}-\d*$/.test(typed);

// What the address of a member names, or undefined when nobody here has this kennitala or id.
async function addressOf(
  database: Credential,
  visit: Visit,
  whom: { kennitala: string } | { external_id: string },
): Promise<string | undefined> {
  const { member, row } = await readMember(database, { ...whom, limit: 1 });
  if (member.reason.code === 'unknown') return undefined;
  // Where there is a row, by it: its Django id may be somebody else's by now.
  return visit.link('member', row === null ? { id: member.external_id ?? '' } : { row });
}
