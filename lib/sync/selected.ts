import pMap from 'p-map';
import type pg from 'pg';
import type { DjangoClient } from '../django/client.ts';
import type { Member, MemberLookup } from '../django/types.ts';
import { detailEndpointExists } from './confirm.ts';
import { copyIncoming } from './copyIncoming.ts';
import { createErrorList } from './errorList.ts';
import { dropDuplicates, type Snapshot } from './snapshot.ts';
import addShields from './sql/snapshot/add_shields.sql';
import { emptyProof } from './walkProof.ts';

interface Selecting {
  client: pg.Client;
  django: DjangoClient;
  concurrency: number;
  signal: AbortSignal;
}

/**
 * Asks the register for these members only and stages its answers; who it does not know is staged as
 * gone. Nothing is concluded from silence: a member whose record could not be read is an error.
 */
export async function takeSelection(
  selecting: Selecting,
  externalIds: string[],
): Promise<Snapshot> {
  const { client, django, concurrency, signal } = selecting;
  // A plan that another service's write made outdated is made anew, from the beginning.
  await client.query('delete from incoming');
  await client.query('delete from shield');
  const errors = createErrorList();
  const lookups = new Map<string, MemberLookup>();
  await pMap([...new Set(externalIds)], async (id) => lookups.set(id, await django.getMember(id)), {
    concurrency,
    signal,
  });

  const members: Member[] = [];
  const former: string[] = [];
  const missing: string[] = [];
  let byApi = true;
  for (const [id, lookup] of lookups) {
    if (!lookup.found) {
      missing.push(id);
      byApi &&= lookup.byApi;
      continue;
    }
    const { record } = lookup;
    if (record.kind === 'rejected') {
      errors.add(record.rejection.code, id, record.rejection.message);
    } else if (record.kind === 'member' && record.member.externalId === id) {
      members.push(record.member);
    } else if (record.kind !== 'member' && record.externalId === id) {
      former.push(id);
    } else {
      errors.add(
        'another_record',
        id,
        'the register answered with another record than the one asked for',
      );
    }
  }
  const understood = new Set([
    ...members.map((member) => member.externalId),
    ...former,
    ...missing,
  ]);
  const unclear = [...lookups.keys()].filter((id) => !understood.has(id));
  await client.query(addShields, [unclear, unclear.map(() => null)]);

  // Where nobody is ever found by id, 404 says nothing about anyone.
  const trusted =
    missing.length === 0 ||
    (byApi && (members.length + former.length > 0 || (await detailEndpointExists(selecting))));
  if (!trusted) {
    for (const id of missing) {
      errors.add(
        'removal_unconfirmed',
        id,
        'the register finds no member by id, so its 404 says nothing; nothing was done',
      );
    }
  }
  const gone = trusted ? [...former, ...missing] : former;

  const writer = copyIncoming(client);
  let ordinal = 0;
  for (const member of members) writer.lines.add(ordinal++, member);
  for (const id of gone) writer.lines.addGone(ordinal++, id);
  await writer.end();
  const dropped = await dropDuplicates(client, errors);
  const distinct = members.filter((member) => member.isMember).length - dropped.members;
  return {
    proof: {
      ...emptyProof(0),
      rows: lookups.size,
      distinct_members: distinct,
      complete: true,
    },
    mark: undefined,
    fetched: lookups.size - missing.length,
    members: distinct,
    errors,
    unidentified: 0,
  };
}
