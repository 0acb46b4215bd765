import { Webhook } from 'standardwebhooks';
import { type Credential, fixedCredential } from '../../lib/secrets.ts';
import { performSync } from '../../lib/sync/performSync.ts';
import { freePort } from '../../local/freePort.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import type { Row } from '../support/database.ts';
import {
  type Arrival,
  hang,
  type Receiver,
  reset,
  startReceiver,
  status,
} from '../support/receiver.ts';
import { contextOf } from '../support/run.ts';
import { until } from '../support/until.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const NEW_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

let world: World;
let elections: Receiver;
let events: Receiver;
let both: Settings;
beforeAll(async () => {
  world = await createWorld({ members: 20 });
  [elections, events] = await Promise.all([startReceiver(), startReceiver()]);
});
beforeEach(async () => {
  await world.reset();
  both = { NOTIFY_URLS: `${elections.url},${events.url}`, NOTIFY_SECRET: SECRET };
  for (const receiver of [elections, events]) {
    receiver.arrivals.length = 0;
    receiver.answer = status(200);
  }
});

interface OutboxRow extends Row {
  receiver: string;
  webhook_id: string;
  status: string;
  attempts: number;
  last_error: string | null;
}
const outbox = (receiver?: Receiver) =>
  world.database.query<OutboxRow>(
    'select * from public.notification_outbox where $1::text is null or receiver = $1 order by id',
    [receiver?.url ?? null],
  );
const run = (settings: Settings = both) => world.run({}, { settings });
/** Something for the next run to tell. */
let renamed = 0;
const changeSomething = () => {
  renamed += 1;
  world.django.members.update(1, { name: `Breytt Nafn ${renamed}` });
};
/** As if the time until the next try had passed. */
const letTheBackoffPass = () =>
  world.database.query(
    'update public.notification_outbox set next_attempt_at = now(), leased_until = null',
  );
const verify = ({ body, headers }: Arrival, secret = SECRET) =>
  new Webhook(secret).verify(body, headers) as Row;
const idOf = ({ headers }: Arrival) => headers['webhook-id'];

describe('what is delivered', () => {
  test('each receiver gets one signed notification with the figures of the run and nothing personal', async () => {
    const result = await run();
    for (const { arrivals } of [elections, events]) {
      expect(arrivals).toHaveLength(1);
      const [arrival] = arrivals as [Arrival];
      expect(arrival.method).toBe('POST');
      expect(arrival.url).toBe('/hook');
      expect(arrival.headers['content-type']).toBe('application/json');
      expect(verify(arrival)).toEqual({
        type: 'membership.synced',
        timestamp: result.timestamp,
        data: {
          run_id: result.run_id,
          sync_type: 'manual',
          members_added: 20,
          members_removed: 0,
          members_updated: 0,
          members_reactivated: 0,
        },
      });
      expect(Object.keys(JSON.parse(arrival.body))).toEqual(['type', 'timestamp', 'data']);
    }
    expect((await outbox()).map((row) => [row.receiver, row.status, row.attempts])).toEqual([
      [elections.url, 'delivered', 1],
      [events.url, 'delivered', 1],
    ]);
  });

  test('a run that changes nothing notifies nobody, nor does a dry run', async () => {
    await world.dryRun({}, { settings: both });
    expect(await outbox()).toEqual([]);
    await run();
    await run();
    expect(elections.arrivals).toHaveLength(1);
    expect(await outbox(elections)).toHaveLength(1);
  });

  test('a receiver named twice is told once', async () => {
    await run({ ...both, NOTIFY_URLS: `${elections.url}, ${elections.url}` });
    expect(elections.arrivals).toHaveLength(1);
  });

  test('a run that fails leaves no notification', async () => {
    world.django.misbehave({ kind: 'status', status: 500 });
    await expect(run()).rejects.toMatchObject({ code: 'django_error' });
    expect(await outbox()).toEqual([]);
    expect(elections.arrivals).toEqual([]);
  });

  test('an approved plan and an undo notify as well', async () => {
    await run();
    const gone = [2, 3, 4].map((id) => world.django.members.get(id) as Row);
    for (const { id } of gone) world.django.members.remove(id as number);
    const strict = { ...both, SYNC_LIMIT_FLOOR: '0' };
    const held = await run(strict);
    expect(held).toMatchObject({ status: 'held', members_removed: 0 });
    expect(elections.arrivals).toHaveLength(1);

    const approved = await world.run({ approvedPlan: held.plan }, { settings: strict });
    const undone = await world.run(
      { undo: approved.run_id as number, syncType: 'undo' },
      { settings: both },
    );
    expect(elections.arrivals.slice(1).map((arrival) => verify(arrival)['data'])).toEqual([
      expect.objectContaining({ run_id: approved.run_id, members_removed: 3 }),
      expect.objectContaining({
        run_id: undone.run_id,
        sync_type: 'undo',
        members_removed: 0,
        members_reactivated: 3,
      }),
    ]);
    for (const record of gone) world.django.members.addRaw(record);
  });
});

describe('when a receiver does not take it', () => {
  const ways: { name: string; answer: Receiver['answer']; error: string }[] = [
    { name: 'an error', answer: status(503), error: 'the receiver answered 503' },
    {
      name: 'a broken connection',
      answer: reset,
      error: 'the receiver could not be reached (ECONNRESET)',
    },
    {
      name: 'a redirect, which is not followed',
      answer: (response) => status(307, { location: events.url })(response),
      error: 'the receiver answered 307',
    },
  ];
  test.each(ways)('it is kept for a later run: $name', async ({ answer, error }) => {
    elections.answer = answer;
    const result = await run({ ...both, NOTIFY_URLS: elections.url });
    expect(result.status).toBe('success');
    expect(await outbox()).toEqual([
      expect.objectContaining({ status: 'pending', attempts: 1, last_error: error }),
    ]);
    expect(events.arrivals).toEqual([]);
    expect(world.logged).toContainEqual(
      expect.objectContaining({
        event: 'notification_failed',
        severity: 'WARNING',
        receiver: new URL(elections.url).origin,
      }),
    );
  });

  test('the other receivers get theirs at once', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/hook`;
    await run({ ...both, NOTIFY_URLS: `${nobody},${elections.url}` });
    expect(elections.arrivals).toHaveLength(1);
    expect((await outbox()).map((row) => [row.receiver, row.status])).toEqual([
      [nobody, 'pending'],
      [elections.url, 'delivered'],
    ]);
    expect((await outbox())[0]?.last_error).toBe(
      'the receiver could not be reached (ECONNREFUSED)',
    );
  });

  test('a later run delivers it under the same id, and in order', async () => {
    elections.answer = status(500);
    await run();
    const [first] = await outbox(elections);
    changeSomething();
    await run();
    // The second one waits behind the first, which is not due yet.
    expect(elections.arrivals).toHaveLength(1);
    elections.answer = status(204);
    await letTheBackoffPass();
    await run();
    const [failed, again, second] = elections.arrivals as [Arrival, Arrival, Arrival];
    expect(idOf(again)).toBe(idOf(failed));
    expect(idOf(again)).toBe(first?.webhook_id);
    expect(again.body).toBe(failed.body);
    expect(idOf(second)).not.toBe(idOf(failed));
    expect([again, second].map((arrival) => verify(arrival)['data'])).toEqual([
      expect.objectContaining({ members_added: 20 }),
      expect.objectContaining({ members_updated: 1 }),
    ]);
    expect(events.arrivals.map(idOf)).toEqual([again, second].map(idOf));
  });

  test('each failure makes the pause longer, up to six hours', async () => {
    elections.answer = status(500);
    await run();
    const pauses: number[] = [];
    for (const attempts of [1, 2, 7, 40]) {
      await world.database.query(
        'update public.notification_outbox set attempts = $1, next_attempt_at = now() where receiver = $2',
        [attempts - 1, elections.url],
      );
      await run();
      const [row] = await world.database.query<{ pause: number }>(
        `select extract(epoch from next_attempt_at - now())::float as pause
        from public.notification_outbox where receiver = $1`,
        [elections.url],
      );
      pauses.push(Math.round((row?.pause ?? 0) / 60));
    }
    expect(pauses).toEqual([1, 2, 64, 360]);
  });

  test('after three days it is dead, syncStatus counts it, and the next one has its turn', async () => {
    elections.answer = status(410);
    await run();
    changeSomething();
    await run();
    await letTheBackoffPass();
    await world.database.query(
      `update public.notification_outbox set created_at = now() - interval '73 hours'
      where id = (select min(id) from public.notification_outbox where receiver = $1)`,
      [elections.url],
    );
    await run();
    expect((await outbox(elections)).map((row) => [row.status, row.attempts])).toEqual([
      ['dead', 2],
      ['pending', 1],
    ]);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ event: 'notification_failed', severity: 'ERROR', dead: true }),
    );
    const status_ = await startBundle('syncStatus', { ...world.settings, ADMIN_API_KEY: 'local' });
    const answer = await fetch(status_.url, { headers: { authorization: 'Bearer local' } });
    expect(await answer.json()).toMatchObject({ notifications: { pending: 1, dead: 1 } });
    await status_.stop();
  });

  test('the last try comes when the three days are over, not after the next long pause', async () => {
    elections.answer = status(500);
    await run();
    await letTheBackoffPass();
    await world.database.query(
      `update public.notification_outbox set attempts = 20, created_at = now() - interval '71 hours'`,
    );
    await run();
    const [row] = await world.database.query<{ due: boolean }>(
      `select next_attempt_at = created_at + interval '3 days' as due
      from public.notification_outbox where receiver = $1`,
      [elections.url],
    );
    expect(row).toEqual({ due: true });
  });

  test('what waits for a receiver that is no longer configured dies too, even when there is none left', async () => {
    elections.answer = status(500);
    await run();
    await world.database.query(
      `update public.notification_outbox set created_at = now() - interval '73 hours'`,
    );
    await run({});
    expect(await outbox(elections)).toEqual([
      expect.objectContaining({ status: 'dead', attempts: 1 }),
    ]);
    expect(elections.arrivals).toHaveLength(1);
  });

  test('what was settled a month ago is forgotten', async () => {
    await run();
    await world.database.query(
      `update public.notification_outbox set created_at = now() - interval '31 days'`,
    );
    await run();
    expect(await outbox()).toEqual([]);
  });
});

describe('who else is at work', () => {
  test('a notification that another process is posting is left to it, and so is everything after', async () => {
    elections.answer = status(500);
    await run();
    await world.database.query(
      `update public.notification_outbox
      set next_attempt_at = now(), leased_until = now() + interval '20 seconds' where status = 'pending'`,
    );
    changeSomething();
    await run();
    expect(elections.arrivals).toHaveLength(1);
  });

  test('two processes that deliver at once post each notification once', async () => {
    elections.answer = status(500);
    await run({ ...both, NOTIFY_URLS: elections.url });
    await letTheBackoffPass();
    elections.arrivals.length = 0;
    // It comes while the others have their turn, and is answered when they are done.
    let done = 0;
    elections.answer = async (response) => {
      await until(() => done === 2);
      status(200)(response);
    };
    const settings = { ...both, NOTIFY_URLS: elections.url };
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() =>
        run(settings).finally(() => {
          done += 1;
        }),
      ),
    );
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(elections.arrivals).toHaveLength(1);
    expect(await outbox()).toEqual([expect.objectContaining({ status: 'delivered' })]);
  });

  test('a try that was stopped for longer than its lease does not count against the receiver', async () => {
    elections.answer = async (response) => {
      await world.database.query(
        `update public.notification_outbox set leased_until = now() - interval '1 second'`,
      );
      status(500)(response);
    };
    await run({ ...both, NOTIFY_URLS: elections.url });
    const [row] = await world.database.query<{ due: boolean }>(
      'select next_attempt_at <= now() as due from public.notification_outbox',
    );
    expect(row).toEqual({ due: true });
  });

  test('a late failure does not undo what a later try delivered', async () => {
    elections.answer = async (response) => {
      // Meanwhile another process took over, and had more luck.
      await world.database.query(
        `update public.notification_outbox set status = 'delivered', attempts = 2, leased_until = null`,
      );
      status(500)(response);
    };
    await run({ ...both, NOTIFY_URLS: elections.url });
    expect(await outbox()).toEqual([expect.objectContaining({ status: 'delivered' })]);
  });
});

describe('the secret', () => {
  // As openCredential keeps one that refers to Secret Manager.
  const rotating = (values: string[]): Credential => ({
    get: async () => values[0] as string,
    renew: async (refused) => {
      if (values[0] === refused) values.shift();
      return values[0];
    },
  });
  const runWith = (secret: Credential, urls: string) => {
    const context = contextOf(
      { ...world.settings, NOTIFY_URLS: urls, NOTIFY_SECRET: SECRET },
      (line) => world.logged.push(JSON.parse(line)),
    );
    return performSync(
      { syncType: 'manual', dryRun: false, previewLimit: 1, caller: 'test' },
      { ...context, secrets: { ...context.secrets, NOTIFY_SECRET: secret } },
    );
  };
  const takesOnly =
    (secret: string) => (response: Parameters<Receiver['answer']>[0], arrival: Arrival) => {
      try {
        verify(arrival, secret);
        status(200)(response);
      } catch {
        status(401)(response);
      }
    };

  test('a rotated one is read again when a receiver refuses the signature', async () => {
    elections.answer = takesOnly(NEW_SECRET);
    events.answer = takesOnly(NEW_SECRET);
    await runWith(rotating([SECRET, NEW_SECRET]), `${elections.url},${events.url}`);
    expect((await outbox()).map((row) => [row.status, row.attempts])).toEqual([
      ['delivered', 1],
      ['delivered', 1],
    ]);
    // One that is posted to after the other was refused is signed with the new secret at once.
    for (const { arrivals } of [elections, events]) {
      expect(new Set(arrivals.map(idOf)).size).toBe(1);
    }
  });

  test('a receiver that refuses us whatever the secret is asked again by a later run only', async () => {
    elections.answer = status(401);
    await runWith(fixedCredential(SECRET), elections.url);
    expect(elections.arrivals).toHaveLength(1);
    expect(await outbox()).toEqual([
      expect.objectContaining({ status: 'pending', last_error: 'the receiver answered 401' }),
    ]);
  });

  test('one that cannot be read again leaves the notification for later', async () => {
    elections.answer = status(403);
    await runWith({ get: async () => SECRET, renew: async () => undefined }, elections.url);
    expect(await outbox()).toEqual([expect.objectContaining({ status: 'pending', attempts: 1 })]);
  });

  test('one that cannot be read at all costs no run, and is told', async () => {
    const get = async () => {
      throw Object.assign(new Error('no'), { code: 'secrets_unavailable' });
    };
    const result = await runWith({ get, renew: async () => undefined }, elections.url);
    expect(result.status).toBe('success');
    expect(world.logged).toContainEqual(
      expect.objectContaining({
        event: 'notifications_postponed',
        severity: 'WARNING',
        reason: 'secrets_unavailable',
      }),
    );
  });
});

describe('a real process', () => {
  const call = async (bundle: Bundle, body: Row = {}) => {
    const response = await fetch(bundle.url, {
      method: 'POST',
      headers: { authorization: 'Bearer local', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Row };
  };
  const serve = () =>
    startBundle('syncScheduled', { ...world.settings, ...both, ADMIN_API_KEY: 'local' });

  test('a receiver that hangs costs the caller less than the ten seconds it is given, and harms nobody', async () => {
    const bundle = await serve();
    elections.answer = hang;
    const gaveUp = () => bundle.output().some((line) => line.includes('no answer within 10000 ms'));
    const answer = await call(bundle);
    expect(answer.body).toMatchObject({ status: 'success', members_added: 20 });
    expect(gaveUp()).toBe(false);
    expect(events.arrivals).toHaveLength(1);

    // The next run is neither refused nor delayed by the delivery that is still going on.
    changeSomething();
    const again = await call(bundle);
    expect(again).toMatchObject({ status: 200, body: { status: 'success', members_updated: 1 } });
    await events.hasGot(2);
    expect(elections.arrivals).toHaveLength(1);

    await until(gaveUp);
    expect((await outbox(elections)).map((row) => [row.status, row.last_error])).toEqual([
      ['pending', 'no answer within 10000 ms'],
      ['pending', null],
    ]);
    expect((await call(bundle)).status).toBe(200);
    await bundle.stop();
  });

  test('a database connection that is cut during a delivery costs neither the run nor the process', async () => {
    const bundle = await serve();
    elections.answer = async (response) => {
      await world.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'membership-sync'`,
      );
      status(200)(response);
    };
    expect(await call(bundle)).toMatchObject({ status: 200, body: { status: 'success' } });
    const told = () => bundle.output().filter((line) => line.includes('notifications_postponed'));
    await until(() => told().length === 1);

    // Nobody knows that it arrived, so it comes again.
    elections.answer = status(200);
    await letTheBackoffPass();
    expect((await call(bundle)).status).toBe(200);
    const [first, second] = elections.arrivals as [Arrival, Arrival];
    expect(idOf(second)).toBe(idOf(first));
    expect((await outbox()).map((row) => row.status)).toEqual(['delivered', 'delivered']);
    await bundle.stop();
  });

  test('an instance that is stopped while it delivers behind the answer ends at once; the next one delivers', async () => {
    const bundle = await serve();
    elections.answer = hang;
    await call(bundle);
    await bundle.kill('SIGTERM');
    expect(bundle.events().map(({ event }) => event)).not.toContain('shutdown_incomplete');
    expect(bundle.process.exitCode).toBe(0);
    expect(await outbox(elections)).toEqual([
      expect.objectContaining({ status: 'pending', attempts: 1 }),
    ]);

    elections.answer = status(200);
    // The lease of the process that is gone.
    await letTheBackoffPass();
    await run();
    const [lost, arrived] = elections.arrivals as [Arrival, Arrival];
    expect(idOf(arrived)).toBe(idOf(lost));
    expect(await outbox(elections)).toEqual([expect.objectContaining({ status: 'delivered' })]);
  });

  test('a process that is killed after the commit and before the delivery loses nothing', async () => {
    const bundle = await serve();
    await world.database.query(`
      create function wait_here() returns trigger language plpgsql as
        $$ begin perform pg_sleep(60); return new; end $$;
      create trigger wait_here before update on public.notification_outbox
        for each row execute function wait_here()`);
    const calling = call(bundle).catch(() => undefined);
    await until(async () => (await world.lastRun())?.['status'] === 'success');
    await bundle.kill('SIGKILL');
    await calling;
    await world.database.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`);
    await world.database.query('drop function wait_here cascade');
    expect(elections.arrivals).toEqual([]);
    expect(await outbox(elections)).toEqual([
      expect.objectContaining({ status: 'pending', attempts: 0 }),
    ]);

    const next = await run();
    expect(next).toMatchObject({ members_added: 0, members_updated: 0 });
    expect(elections.arrivals.map((arrival) => verify(arrival)['data'])).toEqual([
      expect.objectContaining({ members_added: 20 }),
    ]);
    expect(events.arrivals).toHaveLength(1);
  });
});
