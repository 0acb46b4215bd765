import pMap from 'p-map';
import type { DjangoClient } from '../django/client.ts';
import type { Member, MemberLookup } from '../django/types.ts';
import { detailEndpointExists } from './confirm.ts';
import { openCopy } from './copy.ts';
import type { Run } from './session.ts';
import {
  addFormer,
  addMember,
  addShields,
  clearSnapshot,
  dropDuplicates,
  nothingSeen,
  type Snapshot,
} from './snapshot.ts';
import copyIncoming from './sql/snapshot/copy_incoming.sql';
import { emptyProof } from './walkProof.ts';

/**
 * Asks the register for these members only and stages its replies; an id that it does not know is staged as
 * former. Nothing is concluded from silence: a member whose record could not be read is an error. Throws
 * what the Django client and pg throw.
 */
export async function takeSelection(
  run: Run,
  django: DjangoClient,
  externalIds: string[],
): Promise<Snapshot> {
  const { client, context } = run;
  const { signal, config } = context;
  await clearSnapshot(client);
  const seen = nothingSeen();
  const { errors } = seen;
  const lookups = new Map<string, MemberLookup>();
  await pMap([...new Set(externalIds)], async (id) => lookups.set(id, await django.getMember(id)), {
    concurrency: config.django.DJANGO_CONCURRENCY,
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
  await addShields(
    client,
    unclear.map((externalId) => ({ externalId })),
  );

  // Where nobody is ever found by id, 404 says nothing about anyone.
  const trusted =
    missing.length === 0 ||
    (byApi && (members.length + former.length > 0 || (await detailEndpointExists(run, django))));
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

  const writer = openCopy(client, copyIncoming);
  let ordinal = 0;
  for (const member of members) addMember(writer, ordinal++, member);
  for (const id of gone) addFormer(writer, ordinal++, id);
  await writer.end();
  const dropped = await dropDuplicates(client, errors);
  const distinct = members.filter((member) => member.isMember).length - dropped.members;
  return {
    ...seen,
    proof: {
      ...emptyProof(0),
      rows: lookups.size,
      distinct_members: distinct,
      complete: true,
    },
    fetched: lookups.size - missing.length,
    members: distinct,
  };
}
