import type { Row } from '../support/database.ts';
import { range } from '../support/register.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(smallPages);
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
});

const register = () => world.django.members;
const columns = 'kennitala, name, email, phone, external_id, is_active, removed_at';
/** A member's row as the audit trail writes it. */
const asAudited = async (id: number) => {
  const [row] = await world.database.query(
    `select to_jsonb(r) as row from (select ${columns} from public.members where id = $1) r`,
    [id],
  );
  return row?.['row'];
};

/** The same of a row that was read before. */
const audited = (row: Row | undefined) => {
  if (!row) return null;
  const { kennitala, name, email, phone, external_id, is_active, removed_at } = row;
  const time = removed_at === null ? null : String(removed_at).replace(' ', 'T');
  return { kennitala, name, email, phone, external_id, is_active, removed_at: time };
};

/** One of each: 1 leaves, 2 changes, 3 and 4 swap kennitölur, 5 gets another, 36 joins, and 6, gone before, comes back. */
async function makeOneOfEach() {
  register().softDelete(6);
  expect(await world.sync()).toMatchObject({ body: { members_removed: 1 } });
  const before = await world.members();
  register().remove(1);
  register().update(2, { name: 'Annað Nafn', email: null });
  const [third, fourth] = [register().get(3), register().get(4)];
  register().update(3, { kennitala: fourth?.kennitala });
  register().update(4, { kennitala: third?.kennitala });
  register().update(5, { kennitala: '0000000005' });
  register().update(6, { is_active: true, deleted_at: null });
  register().add({ id: 36, name: 'Ný Félagskona' });
  const { body } = await world.sync();
  expect(body).toMatchObject({
    status: 'success',
    members_removed: 1,
    members_updated: 4,
    members_reactivated: 1,
    members_added: 1,
  });
  return { before, runId: Number(body.run_id), after: await world.members() };
}

test('every applied change has one row in the audit trail, with the member before and after it', async () => {
  const { runId, before } = await makeOneOfEach();
  const rowsBefore = new Map(before.map((row) => [Number(row['id']), row]));
  const trail = await world.changes(runId);
  const expected = [
    { member_id: 1, action: 'remove', fields: ['is_active', 'removed_at'] },
    { member_id: 2, action: 'update', fields: ['name', 'email'] },
    { member_id: 3, action: 'update', fields: ['kennitala'] },
    { member_id: 4, action: 'update', fields: ['kennitala'] },
    { member_id: 5, action: 'update', fields: ['kennitala'] },
    { member_id: 6, action: 'reactivate', fields: ['is_active', 'removed_at'] },
    {
      member_id: 36,
      action: 'add',
      fields: ['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'],
    },
  ];
  const byMember = [...trail].sort((a, b) => Number(a['member_id']) - Number(b['member_id']));
  expect(byMember.map(({ member_id, action, fields }) => ({ member_id, action, fields }))).toEqual(
    expected,
  );
  for (const row of byMember) {
    const id = Number(row['member_id']);
    expect([id, row['after']]).toEqual([id, await asAudited(id)]);
    expect([id, row['before']]).toEqual([id, audited(rowsBefore.get(id))]);
  }
});

test('an undo gives every member back as the run found it, and whom it added is removed', async () => {
  const { before, runId, after } = await makeOneOfEach();
  const { status, body } = await world.sync({ undo: runId });
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      sync_type: 'undo',
      mode: 'undo',
      status: 'success',
      members_removed: 2,
      members_updated: 4,
      members_reactivated: 1,
      members_added: 0,
      errors: [],
    }),
  ]);
  const undone = await world.members();
  expect(undone.slice(0, 35)).toEqual(before);
  expect(undone.slice(35)).toEqual([
    { ...after[35], is_active: false, removed_at: expect.any(String) },
  ]);
  expect(await world.changes(Number(body.run_id))).toHaveLength(7);
  expect(await world.lastRun()).toMatchObject({
    sync_type: 'undo',
    status: 'success',
    members_removed: 2,
    details: { undo: runId, caller: 'admin-key' },
  });
});

test('a dry run of an undo tells what it does and writes nothing', async () => {
  const { runId, after } = await makeOneOfEach();
  const seen = await world.post('syncDryRun', { undo: runId });
  expect(await world.members()).toEqual(after);
  expect((await world.lastRun())['id']).toBe(runId);
  expect(seen.body.changes?.map(({ action, external_id }) => [action, external_id])).toEqual([
    ['remove', '6'],
    ['remove', '36'],
    ['reactivate', '1'],
    ['update', '2'],
    ['update', '3'],
    ['update', '4'],
    ['update', '5'],
  ]);
  const { run_id, dry_run, timestamp, duration_ms, ...same } = (await world.sync({ undo: runId }))
    .body;
  expect(seen.body).toMatchObject(same);
  expect([run_id, dry_run, seen.body.dry_run]).toEqual([runId + 1, false, true]);
});

test('the undo of an undo brings the run back', async () => {
  const { runId, after } = await makeOneOfEach();
  const undo = await world.sync({ undo: runId });
  const redo = await world.sync({ undo: undo.body.run_id });
  expect(redo.body).toMatchObject({
    status: 'success',
    members_reactivated: 2,
    members_removed: 1,
  });
  expect(await world.members()).toEqual(after);
  // And it is what the register says, so that nothing is held.
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 0 } });
  expect(await world.members()).toEqual(after);
});

test('a member who changed since is a conflict and stays, the others are given back', async () => {
  const { before, runId } = await makeOneOfEach();
  await world.database.query(`update public.members set name = 'Leiðrétt Nafn' where id = 2`);
  // The kennitala that member 5 had is somebody else's by now.
  await world.database.query(
    `insert into public.members (kennitala, name, sync_source) values ($1, 'Annað Kerfi', 'events')`,
    [before[4]?.['kennitala']],
  );
  const conflicted = await world.members();
  const { body } = await world.sync({ undo: runId });
  expect(body).toMatchObject({ status: 'partial', members_updated: 2, error_count: 2 });
  expect(body.errors.map(({ code, external_id }) => [code, external_id])).toEqual(
    expect.arrayContaining([
      ['undo_conflict', '2'],
      ['undo_conflict', '5'],
    ]),
  );
  const undone = await world.members();
  expect([undone[1], undone[4], undone[36]]).toEqual([
    conflicted[1],
    conflicted[4],
    conflicted[36],
  ]);
  const others = [0, 2, 3, 5, ...range(6, 34)];
  expect(others.map((place) => undone[place])).toEqual(others.map((place) => before[place]));
});

test('a kennitala that a new member took over goes back to whom the undone run took it from', async () => {
  const before = await world.members();
  const kennitala = String(register().get(2)?.kennitala);
  register().update(2, { kennitala: '0000000002' });
  register().add({ id: 36, kennitala });
  const run = await world.sync();
  expect(run.body).toMatchObject({ status: 'success', members_added: 1, members_updated: 1 });
  const after = await world.members();

  const undo = await world.sync({ undo: run.body.run_id });
  expect(undo.body).toMatchObject({ status: 'success', members_removed: 1, members_updated: 1 });
  const undone = await world.members();
  expect(undone.slice(0, 35)).toEqual(before);
  expect(undone[35]).toMatchObject({ is_active: false, kennitala: '~24', external_id: '36' });

  const { plan } = (await world.post('syncDryRun')).body;
  expect(await world.sync({ plan })).toMatchObject({ body: { status: 'success' } });
  expect(await world.members()).toEqual(after);
});

test('what was undone stays undone until the register changes or an admin approves', async () => {
  const { runId, after } = await makeOneOfEach();
  await world.sync({ undo: runId });
  const undone = await world.members();
  const held = {
    removals: { count: 1, limit: 10, reason: 'undone' },
    additions: { count: 2, limit: 10, reason: 'undone' },
    updates: { count: 1, limit: 17, reason: 'undone' },
    kennitala_changes: { count: 3, limit: 10, reason: 'undone' },
  };
  for (const _ of ['the next hour', 'and the one after']) {
    const { status, body } = await world.sync();
    expect([status, body.status, body.held]).toEqual([200, 'held', held]);
    expect(await world.members()).toEqual(undone);
  }
  // Another name than the one that was taken back is a new change, and others are applied as ever.
  register().update(2, { name: 'Þriðja Nafn' });
  register().update(20, { name: 'Óskylt Nafn' });
  const changed = await world.sync();
  expect(changed.body).toMatchObject({
    status: 'held',
    members_updated: 2,
    held: {
      removals: held.removals,
      additions: held.additions,
      kennitala_changes: held.kennitala_changes,
    },
  });
  expect((await world.members())[1]).toMatchObject({ name: 'Þriðja Nafn' });

  const { plan } = (await world.post('syncDryRun')).body;
  expect(await world.sync({ plan })).toMatchObject({
    body: { status: 'success', members_removed: 1, members_added: 0, members_reactivated: 2 },
  });
  const approved = await world.members();
  const untouched = [2, 3, 4, 5, 35];
  expect(untouched.map((place) => approved[place])).toEqual(untouched.map((place) => after[place]));
  // It was approved, so it is not held ever after.
  register().update(2, { name: 'Fjórða Nafn' });
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 1 } });
});

test('a change that the register has taken back itself is no longer held when it comes again', async () => {
  register().remove(1);
  const { body } = await world.sync();
  await world.sync({ undo: body.run_id });
  const person = {
    ...(await world.database.query('select * from public.members where id = 1'))[0],
  };
  const { kennitala, name, email, phone } = person;
  expect(await world.sync()).toMatchObject({ body: { held: { removals: { reason: 'undone' } } } });
  register().add({ id: 1, kennitala, name, email, phone });
  expect(await world.sync()).toMatchObject({ body: { status: 'success' } });
  register().remove(1);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
});

test('a run that is not in the log cannot be undone, and a run that changed nothing has nothing to undo', async () => {
  for (const name of ['syncScheduled', 'syncDryRun']) {
    expect(await world.post(name, { undo: 999 })).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    });
  }
  const { body } = await world.sync();
  expect(await world.sync({ undo: body.run_id })).toMatchObject({
    status: 200,
    body: { status: 'success', members_updated: 0, members_removed: 0 },
  });
});

test('a run whose number an earlier one had as well cannot be undone', async () => {
  register().update(2, { name: 'Annað Nafn' });
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_updated: 1 });
  // What is left of a log that was emptied, and whose numbers have started over.
  await world.database.query('update public.member_changes set run_id = $1', [body.run_id]);
  for (const name of ['syncScheduled', 'syncDryRun']) {
    expect(await world.post(name, { undo: body.run_id })).toMatchObject({
      status: 400,
      body: {
        error: { code: 'invalid_request', message: expect.stringContaining('started over') },
      },
    });
  }
  expect(await world.active()).toEqual(range(1, 35));
});

test('an undo beyond the limits is held, and applied with the digest of its dry run only', async () => {
  const first = Number((await world.lastRun())['id']);
  const removals = { count: 35, limit: 10, reason: 'limit_exceeded' };
  const held = await world.sync({ undo: first });
  expect(held.body).toMatchObject({ status: 'held', members_removed: 0, held: { removals } });
  expect(await world.active()).toEqual(range(1, 35));

  const { plan } = (await world.post('syncDryRun', { undo: first })).body;
  expect(held.body.plan).toBe(plan);
  // The plan of the register is another one, and approves nothing of this.
  const other = (await world.post('syncDryRun')).body.plan;
  expect(await world.sync({ undo: first, plan: other })).toMatchObject({ status: 409 });
  expect(await world.active()).toEqual(range(1, 35));

  const done = await world.sync({ undo: first, plan });
  expect(done.body).toMatchObject({ status: 'success', members_removed: 35, plan });
  expect(await world.active()).toEqual([]);
});

test('an undo is logged as a notice, and as critical when it is more than the limits allow', async () => {
  register().update(2, { name: 'Annað Nafn' });
  const [load, run] = [Number((await world.lastRun())['id']), await world.run()];
  const undos = () =>
    world.logged
      .filter(({ event }) => event === 'sync_held' || event === 'undo_applied')
      .map(({ event, severity, undo }) => `${event} ${severity} ${undo}`);
  await world.run({ undo: Number(run.run_id) });
  expect(undos()).toEqual([`undo_applied NOTICE ${run.run_id}`]);
  world.logged.length = 0;
  const { plan } = await world.run({ undo: load });
  expect(undos()).toEqual([`sync_held CRITICAL ${load}`]);
  await world.run({ undo: load, approvedPlan: plan });
  expect(undos().at(-1)).toBe(`undo_applied CRITICAL ${load}`);
});

test('nobody being active does not make an undo a first load', async () => {
  const first = Number((await world.lastRun())['id']);
  const { plan } = (await world.post('syncDryRun', { undo: first })).body;
  const undo = await world.sync({ undo: first, plan });
  expect(await world.active()).toEqual([]);
  expect((await world.sync({ undo: undo.body.run_id })).body).toMatchObject({
    status: 'held',
    held: { additions: { count: 35, reason: 'limit_exceeded' } },
  });
});

test('an undo within the limits counts towards them, and one that was approved does not', async () => {
  register().add({ id: 36 });
  const run = await world.sync();
  expect(await world.sync({ undo: run.body.run_id })).toMatchObject({
    body: { status: 'success', members_removed: 1 },
  });
  for (const id of range(1, 10)) register().remove(id);
  expect((await world.sync()).body.held?.removals).toEqual({
    count: 10,
    limit: 10,
    reason: 'window_limit_exceeded',
  });
});

test('an undo of some members takes back their changes only, and names an id without one', async () => {
  const { runId, before, after } = await makeOneOfEach();
  const { body } = await world.sync({ undo: runId, external_ids: ['2', 20, '1'] });
  expect(body).toMatchObject({ status: 'partial', members_updated: 1, members_reactivated: 1 });
  expect(body.errors.map(({ code, external_id }) => [code, external_id])).toEqual([
    ['unknown_id', '20'],
  ]);
  const undone = await world.members();
  expect(undone.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(undone.slice(2)).toEqual(after.slice(2));
});

describe('a run is taken back in steps', () => {
  const take = async (body: object) => (await world.sync(body)).body;
  const plan = async (body: object) => (await world.post('syncDryRun', body)).body.plan;

  test('by class, and each step does what it names and nothing else', async () => {
    const { before, runId } = await makeOneOfEach();
    const undo = { undo: runId };
    expect(await take({ ...undo, plan: await plan(undo), classes: ['removals'] })).toMatchObject({
      status: 'success',
      members_removed: 2,
      members_updated: 0,
      members_reactivated: 0,
      errors: [],
    });
    const second = { ...undo, plan: await plan(undo), classes: ['additions', 'updates'] };
    expect(await take(second)).toMatchObject({
      status: 'success',
      members_removed: 0,
      members_updated: 1,
      members_reactivated: 1,
      errors: [],
    });
    expect(await take(second)).toMatchObject({ error: { code: 'plan_changed' } });
    expect(await take(undo)).toMatchObject({ status: 'success', members_updated: 3, errors: [] });
    expect((await world.members()).slice(0, 35)).toEqual(before);
    // Nothing is left, and nothing is in conflict with it.
    expect(await take(undo)).toMatchObject({ status: 'success', members_updated: 0, errors: [] });
  });

  test('member by member, and the rest at last', async () => {
    const { before, runId } = await makeOneOfEach();
    for (const external_ids of [
      ['1', '2'],
      ['2', '3', '4'],
    ]) {
      expect(await take({ undo: runId, external_ids })).toMatchObject({
        status: 'success',
        errors: [],
      });
    }
    expect(await take({ undo: runId })).toMatchObject({ status: 'success', errors: [] });
    expect((await world.members()).slice(0, 35)).toEqual(before);
  });

  test('and what was done again since, and changed, is a conflict all the same', async () => {
    register().update(2, { name: 'Annað Nafn' });
    const runId = (await take({})).run_id;
    await take({ undo: runId });
    expect(await take({ plan: await plan({}) })).toMatchObject({ members_updated: 1 });
    register().update(2, { name: 'Þriðja Nafn' });
    await take({});
    expect(await take({ undo: runId })).toMatchObject({
      status: 'partial',
      errors: [{ code: 'undo_conflict', external_id: '2' }],
    });
  });

  test('and another change of the member since is none', async () => {
    register().update(2, { name: 'Annað Nafn' });
    const runId = (await take({})).run_id;
    await take({ undo: runId });
    register().update(2, { phone: '+354 555 1234' });
    await take({});
    expect(await take({ undo: runId })).toMatchObject({ status: 'success', errors: [] });
  });

  test('by class, also where it is more than the limits allow', async () => {
    for (const id of range(1, 11)) register().update(id, { kennitala: `99000000${10 + id}` });
    register().update(20, { name: 'Annað Nafn' });
    register().add({ id: 36 });
    const unlimited = { SYNC_MAX_KENNITALA_CHANGES: '100%' };
    const run = (await world.sync({}, unlimited)).body;
    expect(run).toMatchObject({ status: 'success', members_updated: 12, members_added: 1 });
    const undo = { undo: run.run_id };
    const held = (await world.post('syncDryRun', undo)).body;
    expect(held).toMatchObject({ held: { kennitala_changes: { count: 11 } } });
    expect(await take({ ...undo, plan: held.plan, classes: ['kennitala_changes'] })).toMatchObject({
      status: 'success',
      members_updated: 11,
      members_removed: 0,
    });
    expect(await take(undo)).toMatchObject({
      status: 'success',
      members_updated: 1,
      members_removed: 1,
      errors: [],
    });
  });
});

test('audit rows older than AUDIT_RETENTION_DAYS go with the next run, and their run can no longer be undone', async () => {
  const first = Number((await world.lastRun())['id']);
  const age = (days: number) =>
    world.database.query(
      'update public.member_changes set changed_at = now() - make_interval(days => $1)',
      [days],
    );
  await age(729);
  await world.sync();
  expect(await world.changes()).toHaveLength(35);
  await age(731);
  await world.sync({}, { AUDIT_RETENTION_DAYS: '0' });
  expect(await world.changes()).toHaveLength(35);
  await world.sync();
  expect(await world.changes()).toEqual([]);
  expect(await world.sync({ undo: first })).toMatchObject({
    status: 404,
    body: { error: { code: 'not_found' } },
  });
  expect(await world.active()).toEqual(range(1, 35));

  register().remove(1);
  await world.sync();
  await age(3);
  await world.sync({}, { AUDIT_RETENTION_DAYS: '2' });
  expect(await world.changes()).toEqual([]);
});

describe('an id that means two people in a run', () => {
  /** 7 leaves, and the register uses the id again for somebody else. */
  const useAgain = async () => {
    register().update(7, { kennitala: '0000000077', name: 'Nýr Maður' });
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'success', members_added: 1, members_removed: 1 });
    return Number(body.run_id);
  };
  const votersOf7 = () =>
    world.database.query(
      `select name = 'Nýr Maður' as is_new, is_active from public.members where external_id = '7' order by id`,
    );

  test('is refused until both were looked at, and then each can be taken back alone', async () => {
    const undo = await useAgain();
    const body = { undo, external_ids: ['7'] };
    expect(await world.sync(body)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('more than one member') } },
    });
    const look = await world.post('syncDryRun', body);
    expect(look.body).toMatchObject({
      changes: [{ action: 'remove' }, { action: 'reactivate' }],
      plan: expect.any(String),
    });
    const { plan } = look.body;
    expect(await world.sync({ ...body, plan, classes: ['additions'] })).toMatchObject({
      body: { status: 'success', members_reactivated: 1, members_removed: 0 },
    });
    expect(await votersOf7()).toEqual([
      { is_new: false, is_active: true },
      { is_new: true, is_active: true },
    ]);
    // What is left is one person's.
    expect(await world.sync(body)).toMatchObject({
      body: { status: 'success', members_removed: 1 },
    });
  });
});
