import {
  type AdminWorld,
  createAdminWorld,
  postForm,
  signedHeaders,
} from '../support/adminPage.ts';
import { ADMIN_KEY, request } from '../support/http.ts';
import { until } from '../support/until.ts';

// The built page by HTTP alone: who gets in, and what somebody finds who tries.
const MEMBERS = 40;
let admin: AdminWorld;
beforeAll(async () => {
  admin = await createAdminWorld(MEMBERS);
}, 60_000);
beforeEach(() => admin.world.reset(MEMBERS));

const runs = async () =>
  (await admin.world.database.query('select id from public.sync_log')).length;
const active = async () => (await admin.world.active()).length;
const leave = (count: number, from = 1) => {
  for (let id = from; id < from + count; id++) admin.world.django.members.remove(id);
};

test('it shows nothing to a stranger but where to sign in', async () => {
  const reply = await request(`${admin.url}?view=history`);
  expect([reply.status, reply.headers.get('location')]).toEqual([303, '?view=signIn']);
  expect((await request(`${admin.url}?view=signIn`)).status).toBe(200);
  expect((await postForm(admin.url, 'signIn', { key: 'wrong' })).status).toBe(401);
  for (const act of ['run', 'find', 'look', 'approve', 'nothing']) {
    const { status, text } = await postForm(admin.url, act);
    // Of somebody whose session is over: nothing was done, and here is how to go on.
    expect([status, text]).toEqual([401, expect.stringMatching(/engu var breytt.*id="key"/s)]);
  }
  expect(await runs()).toBe(0);
});

test('it sets a cookie that no script reads, and takes none that is bent', async () => {
  const reply = await postForm(
    admin.url,
    'signIn',
    { key: ADMIN_KEY },
    { 'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-Proto': 'https' },
  );
  expect(String(reply.headers.get('set-cookie'))).toMatch(
    /^__Host-membership-sync=[^;]+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  expect(reply.headers.get('strict-transport-security')).toBe('max-age=31536000');
  const { cookie = '' } = await signedHeaders(admin.url);
  expect(cookie).toMatch(/^membership-sync=/);
  const status = async (given: string) =>
    (await request(admin.url, { headers: { cookie: given } })).status;
  expect(await status(cookie)).toBe(200);
  const bent = [cookie.replace(/=\d/, '=9'), cookie.replace(/.$/, ''), `${cookie}; ${cookie}`];
  expect(await Promise.all(bent.map(status))).toEqual([303, 303, 303]);
  // The cookie of http is worth nothing on https, where it has another name.
  const secure = { cookie, 'x-forwarded-proto': 'https' };
  expect((await request(admin.url, { headers: secure })).status).toBe(303);
});

test.each([
  { name: 'another site', headers: { 'Sec-Fetch-Site': 'cross-site' } },
  { name: 'a neighbour', headers: { 'Sec-Fetch-Site': 'same-site' } },
  { name: 'a foreign origin', headers: { Origin: 'https://evil.example' } },
  { name: 'nobody knows where', headers: {} },
])('it is closed to a POST from $name', async ({ headers }) => {
  const { cookie = '' } = await signedHeaders(admin.url);
  const given = Object.fromEntries(Object.entries(headers));
  const reply = await postForm(admin.url, 'run', {}, { ...given, cookie });
  expect([reply.status, await runs()]).toEqual([403, 0]);
  expect((await postForm(admin.url, 'signIn', { key: ADMIN_KEY }, given)).status).toBe(403);
});

test('a browser that says only where the page came from is let in', async () => {
  const { cookie = '' } = await signedHeaders(admin.url);
  const headers = { Origin: new URL(admin.url).origin, cookie };
  expect((await postForm(admin.url, 'find', { whom: 'x' }, headers)).status).toBe(200);
  // The script of a page whose session is over is told so, instead of being sent to a form.
  const script = { 'X-Requested-With': 'XMLHttpRequest' };
  expect((await request(admin.url, { headers: script })).status).toBe(401);
});

test.each([
  { name: 'without a key', settings: {}, says: /ADMIN_API_KEY is missing/ },
  {
    name: 'behind a proxy whose tokens are for anybody',
    settings: { AUTH_MODE: 'iap', ADMIN_VIEWERS: 'a@felag.example' },
    says: /AUTH_AUDIENCE is missing/,
  },
  {
    name: 'with nobody who may look',
    settings: { AUTH_MODE: 'iap', AUTH_AUDIENCE: '/projects/1' },
    says: /ADMIN_APPROVERS and ADMIN_VIEWERS are both empty/,
  },
])('it does not start $name', async ({ settings, says }) => {
  const others = { SYNC_URL: 'http://127.0.0.1:1/', SYNC_DRY_RUN_URL: 'http://127.0.0.1:1/' };
  const given = { ...others, ADMIN_API_KEY: '', ...settings };
  await expect(admin.world.bundle('syncAdmin', given)).rejects.toThrow(says);
});

test('a link does nothing but show', async () => {
  const headers = await signedHeaders(admin.url);
  expect((await request(`${admin.url}?do=run`, { headers })).status).toBe(200);
  expect(await runs()).toBe(0);
});

test('every page says what a browser may load, and what it may keep', async () => {
  const headers = await signedHeaders(admin.url);
  const { run_id } = await admin.world.run();
  for (const query of ['?view=signIn', '', '?view=nothing', `?view=run&id=${run_id}&format=csv`]) {
    const reply = await request(admin.url + query, query === '?view=signIn' ? {} : { headers });
    expect(reply.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+';.*frame-ancestors 'none'$/,
    );
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('referrer-policy')).toBe('no-referrer');
    expect(reply.text).not.toMatch(/https?:\/\/(?!register\.example)/);
  }
});

test('it logs every act and every look at a person, without personal data', async () => {
  await admin.world.run();
  const headers = await signedHeaders(admin.url);
  const { kennitala, name } = admin.world.django.members.get(4) as Record<string, string>;
  await postForm(admin.url, 'find', { whom: String(kennitala) }, headers);
  await postForm(admin.url, 'find', { whom: String(name) }, headers);
  for (const query of ['view=member&id=4', 'view=waiting', 'view=run&id=1']) {
    await request(`${admin.url}?${query}`, { headers });
  }
  // A kennitala where an id belongs is neither looked up nor logged.
  expect((await request(`${admin.url}?view=member&id=${kennitala}`, { headers })).status).toBe(404);
  // Nor is it in the name of a view or an act.
  expect((await request(`${admin.url}?view=${kennitala}`, { headers })).status).toBe(404);
  expect((await postForm(admin.url, String(kennitala), {}, headers)).status).toBe(404);
  for (const act of ['ask', 'apply', 'release']) {
    expect((await postForm(admin.url, act, { id: String(kennitala) }, headers)).status).toBe(404);
  }
  await postForm(admin.url, 'full', {}, headers);
  // The page does not wait for it, and the next test must not meet it.
  await until(
    async () => (await runs()) === 2 && (await admin.world.lastRun())['status'] === 'success',
  );
  const lines = admin
    .output()
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const caller = 'admin-key';
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ event: 'member_read', caller, external_id: '4' }),
      expect.objectContaining({ event: 'members_read', caller, external_ids: ['4'] }),
      expect.objectContaining({ event: 'admin_acted', caller, act: 'run', mode: 'full' }),
    ]),
  );
  const said = admin.output().join('\n');
  for (const secret of [kennitala, name, ADMIN_KEY]) expect(said).not.toContain(secret);
});

describe('somebody who tries', () => {
  const script = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>';
  const formula = '=HYPERLINK("https://evil.example";"x")';

  test('a name that is HTML or a formula stays a name, on every page and in every file', async () => {
    const headers = await signedHeaders(admin.url);
    await admin.world.run();
    admin.world.django.members.update(4, { name: script, email: '<b>@x.example' });
    admin.world.django.members.update(5, { name: formula });
    const { run_id } = await admin.world.run({ mode: 'full' });
    admin.world.django.members.update(4, { name: `${script}${script}` });
    const looked = await postForm(admin.url, 'look', {}, headers);
    const look = String(looked.headers.get('location'));
    const pages = [
      await postForm(admin.url, 'find', { whom: '<script>' }, headers),
      await postForm(admin.url, 'ask', { id: '4' }, headers),
    ];
    for (const query of ['?view=member&id=4', `?view=run&id=${run_id}`, look]) {
      pages.push(await request(admin.url + query, { headers }));
    }
    for (const { status, text } of pages) {
      const [, body = ''] = /<main[^>]*>(.*)<\/main>/s.exec(text) ?? [];
      expect([status, body]).toEqual([200, expect.stringContaining('&lt;script>')]);
      expect(body).not.toMatch(/<script|<img|<b>/i);
    }
    const csv = await request(`${admin.url}?view=run&id=${run_id}&format=csv&lang=en`, { headers });
    expect(csv.text).toContain('"\'=HYPERLINK(""https://evil.example"";""x"")"');
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    'view=run&id=999999',
    'view=run&id=2147483648',
    'view=run&id=abc',
    'view=run',
    'view=member&id=',
    'view=member&id=%00',
    `view=member&id=${'9'.repeat(256)}`,
    'view=nothing',
    'view=__proto__',
    'view=constructor',
  ])('finds nothing at ?%s', async (query) => {
    const headers = await signedHeaders(admin.url);
    const reply = await request(`${admin.url}?${query}`, { headers });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('text/html'),
    ]);
    // With the way on.
    expect(reply.text).toContain('href="?view=history"');
  });

  test.each([
    'view=run&id=1&before=999999999999999',
    'view=member&id=%3Cscript%3Ealert(1)%3C/script%3E',
    "view=member&id='%20or%201=1%20--",
    'view=member&row=999999999999999',
    'view=member&id=4&before=999999999999999',
    'view=waiting&list=suspended&skip=999999999999999',
    'view=waiting&list=nothing',
    'view=history&page=999999999999',
    'view=history&month=2099-12',
    'view=history&month=2000-01&page=-1',
    "view=history&month=2026-13'",
    'view=look&plan=nothing&tab=nothing&page=9&format=csv',
    'view=status&lang=%3Cscript%3E',
    'view=signIn',
  ])('breaks nothing at ?%s', async (query) => {
    const { run_id } = await admin.world.run();
    const headers = await signedHeaders(admin.url);
    const asked = query.replace('run&id=1', `run&id=${run_id}`);
    const reply = await request(`${admin.url}?${asked}`, { headers });
    expect([200, 303]).toContain(reply.status);
    expect(reply.text).not.toContain('<script>alert');
  });

  test.each(['\0', '%', '_', '\\', "' or 1=1 --", 'x'.repeat(300), '  ', '\u202e', '0'])(
    'finds nobody by %j',
    async (whom) => {
      await admin.world.run();
      const headers = await signedHeaders(admin.url);
      const reply = await postForm(admin.url, 'find', { whom }, headers);
      const says = expect.stringMatching(/Enginn fannst|Skrifaðu að minnsta kosti tvo stafi/);
      expect([reply.status, reply.text]).toEqual([200, says]);
    },
  );

  test.each([
    {
      name: 'a body that is too long',
      act: 'find',
      values: { whom: 'x'.repeat(70_000) },
      status: 413,
    },
    { name: 'an act that there is not', act: 'drop', values: {}, status: 404 },
    { name: 'an act called like a method', act: 'constructor', values: {}, status: 404 },
    { name: 'no run to take back', act: 'lookUndo', values: { run: 'x' }, status: 400 },
    { name: 'a run that does not exist', act: 'lookUndo', values: { run: '999999' }, status: 404 },
    {
      name: 'a plan that nobody looked at',
      act: 'approve',
      values: { plan: `sha256:${'0'.repeat(64)}`, class: 'removals', typed: '1' },
      status: 409,
    },
    { name: 'a class that there is not', act: 'approve', values: { class: 'all' }, status: 409 },
    { name: 'an undo that is no look', act: 'undo', values: { plan: 'x' }, status: 409 },
    { name: 'nobody', act: 'ask', values: {}, status: 404 },
  ])('posts $name and gets a page', async ({ act, values, status }) => {
    const headers = await signedHeaders(admin.url);
    const reply = await postForm(
      admin.url,
      act,
      values as unknown as Record<string, string>,
      headers,
    );
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining('<h1>')]);
    expect(await runs()).toBe(0);
  });

  test('asks for strange paths and methods, and gets a page that says so', async () => {
    const origin = new URL(admin.url).origin;
    for (const path of ['//', '/admin/../../etc', '/admin/nothing', '/%00']) {
      const reply = await request(origin + path);
      expect([reply.status, reply.text]).toEqual([404, expect.stringContaining('</html>')]);
    }
    expect((await request(`${origin}/admin?view=%E0%A4%A`)).status).toBe(303);
    const put = await request(admin.url, { method: 'PUT', body: 'x' });
    expect([put.status, put.text]).toEqual([405, expect.stringContaining('</html>')]);
  });
});

test('a look has all changes, however many answers of a dry run they take', async () => {
  await admin.world.reset(1_100);
  const headers = await signedHeaders(admin.url);
  const looked = await postForm(admin.url, 'look', {}, headers);
  const look = `${admin.url}${looked.headers.get('location')}`;
  const { text } = await request(look, { headers });
  expect(text).toContain('Nýir á kjörskrá (1.100)');
  expect(text).toContain('Sýnt: 1–100 af 1.100');
  const csv = await request(`${look}&tab=add&format=csv`, { headers });
  expect(csv.text.trim().split('\r\n')).toHaveLength(1_101);
});

test('somebody whose row is another system’s is counted, named, and made active by what was shown', async () => {
  const newcomer = { ...admin.world.django.members.get(1), id: 900, kennitala: '0101902979' };
  const insert = `insert into public.members (kennitala, name, is_active, sync_source) values ($1, 'x', $2, 'events')`;
  await admin.world.database.query(insert, ['0101902979', false]);
  await admin.world.database.query(insert, ['0201902979', true]);
  admin.world.django.members.add(newcomer);
  await admin.world.run();
  const headers = await signedHeaders(admin.url);
  const see = async (query: string) =>
    (await request(`${admin.url}?${query}`, { headers })).text.replace(/<[^>]*>/g, '');
  expect(await see('view=status')).toContain('Þar af 40 úr félagaskránni og 1 úr öðrum kerfum.');
  expect(await see('view=waiting')).toContain('Opnaðu félagann hér og virkjaðu');
  expect(await see('view=member&id=900')).toContain('Félaginn var óvirkur hér áður');
  const { text } = await postForm(admin.url, 'release', { id: '900' }, headers);
  expect(await active()).toBe(MEMBERS + 1);
  const [, plan = ''] = /name="plan" value="([^"]+)"/.exec(text) ?? [];
  await postForm(admin.url, 'apply', { id: '900', plan, release: 'true' }, headers);
  expect(await active()).toBe(MEMBERS + 2);
});

test('every run of a month can be reached, and its file has all of them', async () => {
  await admin.world.database.query(`
    insert into public.sync_log (sync_type, sync_timestamp, finished_at, status, mode)
    select 'membership', '2026-01-05'::timestamp + n * interval '1 second', now(), 'failed', 'full'
    from generate_series(1, 5010) n`);
  const headers = await signedHeaders(admin.url);
  const month = `${admin.url}?view=history&month=2026-01`;
  const { text } = await request(month, { headers });
  const [, before = ''] = /month=2026-01&amp;before=(\d+)"/.exec(text) ?? [];
  const older = await request(`${month}&before=${before}`, { headers });
  expect(older.text.match(/href="\?view=run&amp;id=\d+"/g)).toHaveLength(10);
  const csv = await request(`${month}&format=csv`, { headers });
  expect(csv.text.trim().split('\r\n')).toHaveLength(5_011);
  expect(csv.text).toContain(';2026-01-05 00:00:01;');
});

describe('an approval', () => {
  /** What is held now, as a form that approves it. */
  async function look(headers: Record<string, string>, typed: number) {
    const reply = await postForm(admin.url, 'look', {}, headers);
    const plan = new URLSearchParams(String(reply.headers.get('location')).slice(1)).get('plan');
    return { plan: plan ?? '', class: 'removals', typed: String(typed) };
  }

  beforeEach(async () => {
    await admin.world.run();
    leave(12);
    expect(await admin.world.run()).toMatchObject({ status: 'held' });
  });

  test('that is posted again changes nothing again', async () => {
    const headers = await signedHeaders(admin.url);
    const waiting = await request(`${admin.url}?view=waiting`, { headers });
    expect(waiting.text).toContain('12 breytingar bíða eftir samþykki');
    expect(waiting.text).not.toContain('Ekkert bíður');
    const form = await look(headers, 12);
    expect((await postForm(admin.url, 'approve', form, headers)).status).toBe(303);
    const again = await postForm(admin.url, 'approve', form, headers);
    expect([again.status, await active()]).toEqual([409, MEMBERS - 12]);
    expect(again.text).toContain('Þessar breytingar hafa þegar verið gerðar');
    // Nor does the page from before ask for it again.
    const old = await request(`${admin.url}?view=look&plan=${form.plan}`, { headers });
    expect(old.text).toContain('12 breytingar voru gerðar þar. Samþykkt af: Lykill umsjónarmanns.');
    expect(old.text).not.toMatch(/name="typed"|Bíður samþykkis/);
    // A new look begins anew: what was made and taken back before it waits again.
    const undo = Number((await admin.world.lastRun())['id']) - 1;
    const { plan } = (await admin.world.post('syncDryRun', { undo })).body;
    await admin.world.sync({ undo, plan });
    expect(await active()).toBe(MEMBERS);
    const now = await look(headers, 12);
    const fresh = await request(`${admin.url}?view=look&plan=${now.plan}`, { headers });
    expect(fresh.text).toMatch(/name="typed"/);
    // Who looked at whom is logged by Django id, as often as somebody does.
    const seen = admin.output().filter((line) => line.includes('somebody looked at a plan'));
    expect(JSON.parse(seen.at(-1) ?? '').external_ids.sort()).toEqual([
      '1',
      '10',
      '11',
      '12',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
    ]);
    const removed = await admin.world.database.query(
      `select 1 from public.member_changes where action = 'remove'`,
    );
    expect(removed).toHaveLength(12);
  });

  test('of two people at once is made once, and the other is told', async () => {
    const headers = await signedHeaders(admin.url);
    const form = await look(headers, 12);
    const both = await Promise.all([1, 2].map(() => postForm(admin.url, 'approve', form, headers)));
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409]);
    expect(await active()).toBe(MEMBERS - 12);
  });

  test('of another class than what waits approves nothing', async () => {
    const headers = await signedHeaders(admin.url);
    const form = await look(headers, 0);
    const before = await runs();
    const reply = await postForm(admin.url, 'approve', { ...form, class: 'updates' }, headers);
    expect([reply.status, await runs(), await active()]).toEqual([409, before, MEMBERS]);
  });
});
