import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import {
  type AdminWorld,
  createAdminWorld,
  signedIn,
  textOf,
  violations,
} from '../support/adminPage.ts';
import { describeInBrowser } from '../support/browser.ts';
import type { World } from '../support/world.ts';

// What an admin does, in a real browser, with the built functions behind the page.
const MEMBERS = 90;
let url: string;
let world: World;
beforeAll(async () => {
  const admin: AdminWorld = await createAdminWorld(MEMBERS);
  [url, world] = [admin.url, admin.world];
}, 60_000);
beforeEach(() => world.reset(MEMBERS));

/** A picture for docs/ADMIN.md and README, when PICTURES=1 asks for new ones. */
async function picture(page: Page, name: string): Promise<void> {
  if (!process.env['PICTURES']) return;
  const path = join(import.meta.dirname, `../../docs/pictures/${name}.png`);
  const end = Number(
    await page.evaluate(`document.querySelector('main').getBoundingClientRect().bottom`),
  );
  await page.screenshot({
    path,
    clip: { x: 0, y: 0, width: 1100, height: Math.min(700, Math.ceil(end)) },
  });
}

const runs = async () => (await world.database.query('select id from public.sync_log')).length;
const active = async () => (await world.active()).length;
const open = (page: Page, query: string) => page.goto(`${url}?${query}`);
const leave = (count: number, from = 1) => {
  for (let id = from; id < from + count; id++) world.django.members.remove(id);
};

/** Presses Tab until this has the focus, and throws when it cannot be reached. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 100; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
  }
  throw new Error(`Tab does not come to ${selector}`);
}

async function enter(page: Page, selector: string): Promise<void> {
  await tabTo(page, selector);
  await page.keyboard.press('Enter');
}

describeInBrowser()('the page', () => {
  test('tells that all agrees, in both languages', async () => {
    await world.run();
    const { page, misconduct } = await signedIn(url);
    expect(await textOf(page)).toContain('Kjörskráin er í samræmi við félagaskrána');
    expect(await textOf(page)).toContain('90 mega kjósa');
    expect(await textOf(page)).toContain('Já, kosning má hefjast.');
    await picture(page, 'status-ok');
    await page.click('text=English');
    expect(await textOf(page)).toContain('The voters’ table agrees with the register');
    expect(await textOf(page)).toContain('Yes, an election may open.');
    expect(misconduct).toEqual({ console: [], foreign: [] });
  });

  test('61 that leave: looked at, changed meanwhile, approved by their number, and taken back', async () => {
    await world.run();
    leave(61);
    expect(await world.run()).toMatchObject({ status: 'held' });
    const { page, misconduct } = await signedIn(url);
    expect(await textOf(page)).toContain('61 félagi myndi missa kosningarétt');
    await picture(page, 'status-held');
    await page.click('button:has-text("Skoða breytingar")');
    await page.waitForSelector('text=Sýnt: 61 af 61');
    await picture(page, 'look');
    expect(await page.locator('tbody tr').count()).toBe(61);
    expect(await textOf(page)).toMatch(/\d{6}-\*{4}/);
    expect(await page.getAttribute('tbody tr a[rel=noreferrer]', 'href')).toMatch(
      /^https:\/\/register\.example\/members\/\d+\/change\/$/,
    );

    await page.fill('[name=typed]', '60');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('[role=alert]');
    expect(await textOf(page)).toContain('Talan passar ekki. Hún á að vera 61.');

    const before = await runs();
    leave(2, 70);
    await page.fill('[name=typed]', '61');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('text=Breytingarnar eru ekki lengur þær sömu');
    // Refused, and only what differs is shown.
    await picture(page, 'changed');
    expect(await page.locator('tbody tr').count()).toBe(2);
    expect(await textOf(page)).toContain('+ nýtt');
    expect([await runs(), (await world.lastRun())['status']]).toEqual([before + 1, 'refused']);

    await page.click('text=Sýna allar breytingar');
    await page.fill('[name=typed]', '63');
    await page.click('button:has-text("Samþykkja")');
    await page.waitForSelector('h1:has-text("Keyrsla")');
    expect(await textOf(page)).toContain('63 fóru. Samþykkt af: Lykill umsjónarmanns.');
    expect(await world.lastRun()).toMatchObject({
      members_removed: 63,
      details: { approved_by: 'admin-key' },
    });

    // One of them comes back, then the others.
    const run = page.url();
    await page.click('tbody tr:first-child button');
    await page.waitForSelector('h1:has-text("Afturkalla breytingu á einum félaga")');
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.fill('[name=typed]', '1');
    await page.click('form:has([name=typed]) button');
    await page.waitForSelector('text=1 kom aftur');
    expect(await active()).toBe(MEMBERS - 62);
    await page.goto(run);
    await page.click('text=Skoða afturköllun á allri keyrslunni');
    await page.fill('[name=typed]', '62');
    await page.click('form:has([name=typed]) button');
    await page.waitForSelector('text=62 komu aftur');
    expect(await active()).toBe(MEMBERS);
    // Which the next run leaves as it is, and says so.
    await open(page, 'view=status');
    expect(await textOf(page)).toContain('63 breytingar voru afturkallaðar');
    expect(misconduct.foreign).toEqual([]);
  }, 60_000);

  test('a member is found by kennitala, which is in no address, and asked about', async () => {
    await world.run();
    const kennitala = String(world.django.members.get(4)?.kennitala);
    const { page, misconduct } = await signedIn(url);
    const asked: string[] = [];
    page.on('request', (one) => asked.push(one.url()));
    await open(page, 'view=member');
    await page.fill('#whom', kennitala.replace(/^(.{6})/, '$1-'));
    await page.click('button:has-text("Leita")');
    await page.waitForSelector('text=Má kjósa');
    expect(await textOf(page)).toContain(String(world.django.members.get(4)?.name));
    expect(await textOf(page)).toMatch(/Sást í félagaskránni \d+\. \S+ \d{4}\. Á kjörskrá síðan/);
    expect(await page.content()).not.toContain(kennitala);
    expect(page.url()).toMatch(/\?view=member&row=4$/);
    world.django.members.update(4, { name: 'Annað Nafn' });
    await page.click('text=Spyrja félagaskrána núna');
    await page.waitForSelector('text=Félagaskráin segir annað');
    await picture(page, 'member');
    // By now it would be another change, which is shown instead of made.
    world.django.members.softDelete(4);
    await page.click('text=Gera þessa breytingu núna');
    await page.waitForSelector('text=Engu var breytt');
    expect(await active()).toBe(MEMBERS);
    await page.click('text=Gera þessa breytingu núna');
    await page.waitForSelector('text=Má ekki kjósa');
    expect(await textOf(page)).toMatch(/Hætti \d+\. \S+ \d{4}\. Ekki á kjörskrá síðan/);
    expect(asked.join()).not.toContain(kennitala);
    expect(misconduct.foreign).toEqual([]);
  });

  test('a member who is suspended by hand is found among those to look at, and released', async () => {
    await world.run();
    await world.database.query(
      `update public.members set is_active = false where external_id = '7'`,
    );
    await world.run({ mode: 'full' });
    const { page } = await signedIn(url);
    await page.click('text=Þarf að skoða');
    expect(await textOf(page)).toContain('Félaginn var gerður óvirkur hér, af starfsmanni');
    await page.click('td a:has-text("7")');
    expect(await textOf(page)).toMatch(/Samstilling tók fyrst eftir því \d+\. \S+ \d{4}, /);
    await page.click('button:has-text("Spyrja félagaskrána núna")');
    await page.waitForSelector(
      'text=Félagaskráin segir að þetta sé félagi, en hér var félaginn gerður óvirkur',
    );
    await page.click('button:has-text("Virkja félagann")');
    await page.click('button:has-text("Gera þessa breytingu núna")');
    await page.waitForSelector('text=Má kjósa');
    expect(await active()).toBe(MEMBERS);
  });

  test('the history folds quiet hours, and shows another month', async () => {
    const { run_id } = await world.run();
    await world.database.query(`
      insert into public.sync_log (sync_type, sync_timestamp, finished_at, status, mode, details)
      select 'membership', at, at, 'success', 'incremental', '{"caller":"timer@p.iam.gserviceaccount.com"}'::jsonb
      from generate_series('2026-01-05 00:00'::timestamp, '2026-01-05 08:00', interval '1 hour') at
      union all
      select 'webhook', at, at, 'success', 'selected', '{"caller":"webhook-key"}'::jsonb
      from generate_series('2026-01-05 09:00'::timestamp, '2026-01-05 09:20', interval '10 minutes') at`);
    const { page } = await signedIn(url);
    await open(page, 'view=history');
    await page.selectOption('#month', '2026-01');
    await page.click('button:has-text("Sýna")');
    await page.waitForSelector('h2:has-text("Janúar 2026")');
    const lines = await page.locator('main > table tbody tr').allInnerTexts();
    expect(lines).toEqual([
      expect.stringMatching(
        /9 samstillingar, ekkert breyttist\s+3 fyrirspurnir um einstaka félaga, ekkert breyttist/,
      ),
    ]);
    // The chart says the same in figures.
    await page.click('summary');
    expect(await page.locator('details tbody tr').count()).toBe(31);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.click('text=Sækja sem töflu (CSV)'),
    ]);
    const file = await readFile(await download.path(), 'utf8');
    expect(file.startsWith('\ufeffKeyrsla;Hvenær;')).toBe(true);
    expect(file.trim().split('\r\n')).toHaveLength(13);
    await open(page, `view=run&id=${run_id}`);
    const [changes] = await Promise.all([
      page.waitForEvent('download'),
      page.click('text=Sækja sem töflu (CSV)'),
    ]);
    const rows = (await readFile(await changes.path(), 'utf8')).split('\r\n');
    expect(rows[0]).toMatch(/^\ufeffHvenær;Nafn;Kennitala;/);
    expect(rows).toHaveLength(MEMBERS + 2);
  });

  test('a run that somebody else starts is seen without a touch, and what may be old is taken away', async () => {
    await world.run();
    leave(12);
    await world.run();
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { page } = await signedIn(url);
    await open(page, `view=status&started=${Date.now()}`);
    // Whatever has the focus keeps it, and keeps nothing from being renewed.
    const focused = () => page.evaluate(`document.activeElement.getAttribute('href')`);
    await page.focus('[data-live] li a');
    const link = await focused();
    world.django.behaviour.onRequest = () => gate;
    const run = world.run({ mode: 'full' });
    await page.waitForSelector('h1:has-text("Samstilling stendur yfir")');
    await page.waitForSelector('progress');
    // Another one is refused in words.
    const other = await (await page.context().newPage()).goto(url);
    expect(other?.status()).toBe(200);
    expect(await focused()).toBe(link);
    await page.route('**/*', (route) => route.fulfill({ status: 503 }));
    await page.waitForSelector('text=Ekki er lengur vitað hver staðan er');
    expect(await page.isVisible('h2:has-text("Má hefja kosningu")')).toBe(false);
    await page.unroute('**/*');
    expect(await violations(page)).toEqual([]);
    await page.waitForSelector('h1:has-text("Samstilling stendur yfir")');
    expect(await page.isVisible('text=Ekki er lengur vitað')).toBe(false);
    go();
    await run;
    await page.waitForSelector('h1:has-text("Breytingar bíða eftir samþykki")');
  });

  test('all of it works without a script, by the keyboard alone', async () => {
    await world.run();
    leave(12);
    await world.run();
    const { page } = await signedIn(url, { script: false });
    await page.goto(url);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await enter(page, 'form[action="?do=look"] button');
    await page.waitForSelector('text=Sýnt: 12 af 12');
    await tabTo(page, '[name=typed]');
    await page.keyboard.type('12');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=12 fóru');
    await enter(page, 'form[action="?do=lookUndo"] button.small');
    await page.waitForSelector('[name=typed]');
    await tabTo(page, '[name=typed]');
    await page.keyboard.type('1');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=1 kom aftur');
    await enter(page, 'nav a[href="?view=member"]');
    await page.waitForSelector('#whom');
    await tabTo(page, '#whom');
    await page.keyboard.type('12');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h2:has-text("kjósa")');
    await enter(page, 'form[action="?do=ask"] button');
    await page.waitForSelector('section.box + .row + section.box');
    await enter(page, 'nav a[href="?view=waiting"]');
    await page.waitForSelector('h1:has-text("Þarf að skoða")');
    await enter(page, 'nav a[href="?view=history"]');
    await page.waitForSelector('summary');
    await enter(page, 'summary');
    await page.waitForSelector('details[open]');
    await enter(page, 'form[action="?do=signOut"] button');
    await page.waitForSelector('#key');
  });
});
