import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describeInBrowser, openPage, type PageOptions } from '../support/browser.ts';
import type { Row } from '../support/database.ts';
import { ADMIN_KEY, request } from '../support/http.ts';
import { createWorld, type World } from '../support/world.ts';

// The built page in a real browser, with the built functions behind it.
const MEMBERS = 150;
let world: World;
let url: string;
beforeAll(async () => {
  world = await createWorld({ members: MEMBERS });
  const [sync, dryRun] = await Promise.all([
    world.bundle('syncScheduled'),
    world.bundle('syncDryRun'),
  ]);
  const page = await world.bundle('syncAdmin', {
    SYNC_URL: sync.url,
    SYNC_DRY_RUN_URL: dryRun.url,
    DJANGO_ADMIN_URL: 'https://register.example/members/{id}/change/',
  });
  url = `${page.url}/admin`;
}, 60_000);
beforeEach(() => world.reset(MEMBERS));

const runs = async () =>
  Number((await world.database.query('select count(*) as n from public.sync_log'))[0]?.['n']);

async function signedIn(options: PageOptions = {}) {
  const opened = await openPage(new URL(url).origin, options);
  await opened.page.goto(url);
  await opened.page.fill('#key', ADMIN_KEY);
  await opened.page.click('button.main');
  await opened.page.waitForSelector('dl.figures');
  return opened;
}

/** A picture for docs/ADMIN.md, when PICTURES=1 asks for new ones. */
async function picture(page: Page, name: string): Promise<void> {
  if (!process.env['PICTURES']) return;
  await page.screenshot({ path: join(import.meta.dirname, `../../docs/pictures/${name}.png`) });
}

const text = async (page: Page) => (await page.textContent('main')) ?? '';
const open = (page: Page, query: string) => page.goto(`${url}?${query}`);

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(`axe.run({
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  })`)) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

const leave = (count: number, from = 1) => {
  for (let id = from; id < from + count; id++) world.django.members.remove(id);
};

describeInBrowser()('the page', () => {
  test('tells that all agrees, in both languages', async () => {
    await world.run();
    const { page, misconduct } = await signedIn();
    expect(await text(page)).toContain('Kjörskráin er í samræmi við félagaskrána');
    expect(await text(page)).toContain('Já, kosning má hefjast.');
    await picture(page, 'status-ok');
    await page.click('text=English');
    expect(await text(page)).toContain('The voters’ table agrees with the register');
    expect(await text(page)).toContain('Yes, an election may open.');
    expect(misconduct).toEqual({ console: [], foreign: [] });
  });

  test('61 that leave: looked at, changed meanwhile, approved by their number, and taken back', async () => {
    await world.run();
    leave(61);
    expect(await world.run()).toMatchObject({ status: 'held' });
    const { page, misconduct } = await signedIn();
    expect(await text(page)).toContain('61 félagi myndi missa kosningarétt');
    await picture(page, 'status-held');
    await page.click('button:has-text("Skoða breytingar")');
    await page.waitForSelector('text=61 af 61 sýnd');
    await picture(page, 'look');
    expect(await page.locator('tbody tr').count()).toBe(61);
    expect(await text(page)).toMatch(/\d{6}-\*{4}/);

    await page.fill('[name=typed]', '60');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('[role=alert]');
    expect(await text(page)).toContain('Talan passar ekki. Hún á að vera 61.');

    const before = await runs();
    leave(2, 70);
    await page.fill('[name=typed]', '61');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('text=Breytingarnar eru ekki lengur þær sömu');
    // Refused, and only what differs is shown.
    await picture(page, 'changed');
    expect(await page.locator('tbody tr').count()).toBe(2);
    expect(await text(page)).toContain('+ nýtt');
    expect([await runs(), (await world.lastRun())['status']]).toEqual([before + 1, 'refused']);

    await page.click('text=Sýna allar breytingar');
    await page.fill('[name=typed]', '63');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('h1:has-text("Keyrsla")');
    expect(await text(page)).toContain('63 fóru');
    expect(await world.lastRun()).toMatchObject({
      members_removed: 63,
      details: { approved_by: 'admin-key' },
    });

    await page.click('text=Skoða afturköllun á allri keyrslunni');
    await page.fill('[name=typed]', '63');
    await page.click('form:has([name=typed]) button');
    await page.waitForSelector('text=63 komu aftur');
    const [row] = await world.database.query(
      'select count(*)::int as n from public.members where is_active',
    );
    expect(row).toEqual({ n: MEMBERS });
    expect(misconduct.foreign).toEqual([]);
  }, 60_000);

  test('a member is found by kennitala, which is in no address, and asked about', async () => {
    await world.run();
    const kennitala = String(world.django.members.get(4)?.kennitala);
    const { page, misconduct } = await signedIn();
    const asked: string[] = [];
    page.on('request', (one) => asked.push(one.url()));
    await open(page, 'view=member');
    await page.fill('#whom', kennitala.replace(/^(.{6})/, '$1-'));
    await page.click('button:has-text("Leita")');
    await page.waitForSelector('text=Má kjósa');
    expect(await text(page)).toContain(String(world.django.members.get(4)?.name));
    expect(await page.content()).not.toContain(kennitala);
    expect(page.url()).toMatch(/\?view=member&id=4$/);
    world.django.members.softDelete(4);
    await page.click('text=Spyrja félagaskrána núna');
    await page.waitForSelector('text=Félagaskráin segir annað');
    await picture(page, 'member');
    await page.click('text=Gera þessa breytingu núna');
    await page.waitForSelector('text=Má ekki kjósa');
    expect(asked.join()).not.toContain(kennitala);
    expect(misconduct).toEqual({ console: [], foreign: [] });
  });

  test('it works without its script, and by the keyboard alone', async () => {
    await world.run();
    const { page } = await signedIn({ script: false });
    await page.click('button:has-text("Skoða breytingar")');
    await page.waitForSelector('text=Ekkert breytist');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#whom');
  });

  const views = ['status', 'look', 'member&id=4', 'waiting', 'history'];
  test.each([
    { name: 'wide, Icelandic', options: {}, lang: '' },
    { name: 'wide, English, dark', options: { dark: true }, lang: '&lang=en' },
    { name: 'narrow, Icelandic', options: { width: 380 }, lang: '' },
    { name: 'narrow, English, dark', options: { width: 380, dark: true }, lang: '&lang=en' },
  ])(
    'every view is for everybody and fits: $name',
    async ({ options, lang }) => {
      const { run_id } = await world.run();
      world.django.members.update(5, { name: 7 });
      leave(20, 10);
      await world.run();
      const { page, misconduct } = await signedIn(options);
      await page.click('button.main');
      const look = new URL(page.url()).search.slice(1);
      for (const view of [...[...views, `run&id=${run_id}`].map((one) => `view=${one}`), look]) {
        await open(page, `${view}${lang}`);
        expect([view, await violations(page)]).toEqual([view, []]);
        const width = await page.evaluate('document.documentElement.scrollWidth');
        expect([view, width]).toEqual([view, options.width ?? 1100]);
      }
      expect(misconduct).toEqual({ console: [], foreign: [] });
    },
    120_000,
  );

  test('the check for that finds what is planted', async () => {
    await world.run();
    const { page } = await signedIn();
    await page.evaluate(`document.querySelector('main').innerHTML += '<input>'`);
    expect((await violations(page)).join()).toContain('label');
  });

  test('changes are a file that a spreadsheet opens', async () => {
    const { run_id } = await world.run();
    const { page } = await signedIn();
    await open(page, `view=run&id=${run_id}`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.click('text=Sækja sem töflu (CSV)'),
    ]);
    const file = await readFile(await download.path(), 'utf8');
    expect(file.startsWith('\ufeffHvenær;Nafn;Kennitala;')).toBe(true);
    expect(file.trim().split('\r\n')).toHaveLength(MEMBERS + 1);
  });
});

describe('the door', () => {
  const post = (act: string, body: string, headers: Record<string, string>) =>
    request(`${url}?do=${act}`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    });
  const ours = { 'Sec-Fetch-Site': 'same-origin' };
  const cookie = async () => {
    const reply = await post('signIn', `key=${encodeURIComponent(ADMIN_KEY)}`, ours);
    expect(reply.status).toBe(303);
    return String(reply.headers.get('set-cookie')).split(';')[0] ?? '';
  };

  test('shows nothing to a stranger but where to sign in', async () => {
    const reply = await request(`${url}?view=history`);
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '?view=signIn']);
    expect((await request(`${url}?view=signIn`)).status).toBe(200);
    expect((await post('signIn', 'key=wrong', ours)).status).toBe(401);
    expect((await post('run', '', ours)).status).toBe(401);
    expect(await runs()).toBe(0);
  });

  test('sets a cookie that no script reads, and takes none that is bent', async () => {
    const reply = await post('signIn', `key=${encodeURIComponent(ADMIN_KEY)}`, {
      ...ours,
      'X-Forwarded-Proto': 'https',
    });
    const set = String(reply.headers.get('set-cookie'));
    expect(set).toMatch(
      /^__Host-membership-sync=[^;]+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(reply.headers.get('strict-transport-security')).toBe('max-age=31536000');
    const good = await cookie();
    expect((await request(url, { headers: { cookie: good } })).status).toBe(200);
    const bent = good.replace(/=./, '=9');
    expect((await request(url, { headers: { cookie: bent } })).status).toBe(303);
  });

  test.each([
    { name: 'another site', headers: { 'Sec-Fetch-Site': 'cross-site' } },
    { name: 'a neighbour', headers: { 'Sec-Fetch-Site': 'same-site' } },
    { name: 'a foreign origin', headers: { Origin: 'https://evil.example' } },
    { name: 'nobody knows where', headers: {} },
  ])('is closed to a POST from $name', async ({ headers }) => {
    const given = Object.fromEntries(Object.entries(headers));
    const reply = await post('run', '', { ...given, cookie: await cookie() });
    expect([reply.status, await runs()]).toEqual([403, 0]);
  });

  test('says on every page what a browser may load, and what it may keep', async () => {
    const { headers, text: html } = await request(`${url}?view=signIn`);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+';.*frame-ancestors 'none'$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(html).not.toMatch(/https?:\/\//);
  });

  test('logs every act and every look at a person, without personal data', async () => {
    await world.run();
    const { output } = await world.bundle('syncAdmin', {
      SYNC_URL: (await world.bundle('syncScheduled')).url,
      SYNC_DRY_RUN_URL: (await world.bundle('syncDryRun')).url,
      DJANGO_ADMIN_URL: 'https://register.example/members/{id}/change/',
    });
    const signed = { ...ours, cookie: await cookie() };
    const kennitala = String(world.django.members.get(4)?.kennitala);
    await post('find', `whom=${kennitala}`, signed);
    await request(`${url}?view=member&id=4`, { headers: signed });
    await post('full', '', signed);
    const lines: Row[] = output()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'member_read', caller: 'admin-key', external_id: '4' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'admin_acted', caller: 'admin-key', act: 'run' }),
    );
    expect(output().join()).not.toContain(kennitala);
    expect(output().join()).not.toContain(String(world.django.members.get(4)?.name));
  });
});
