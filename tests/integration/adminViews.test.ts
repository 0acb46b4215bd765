import type { Page } from 'playwright-core';
import {
  type AdminWorld,
  createAdminWorld,
  signedIn,
  textOf,
  violations,
} from '../support/adminPage.ts';
import { describeInBrowser } from '../support/browser.ts';
import { ADMIN_KEY } from '../support/http.ts';

// Every view of the page is for everybody: WCAG 2.2 AA, and nothing that has to be scrolled sideways.
const MEMBERS = 24;
let admin: AdminWorld;
beforeAll(async () => {
  admin = await createAdminWorld(MEMBERS);
}, 60_000);

interface Appearance {
  width: number;
  dark: boolean;
}
const wide = { width: 1280, dark: false };
const narrow = { width: 380, dark: true };

async function check(
  page: Page,
  name: string,
  { width, dark }: Appearance,
  colours: boolean,
): Promise<void> {
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
  const found = await violations(page, { colours });
  const scrolled = await page.evaluate('document.documentElement.scrollWidth');
  expect([name, width, scrolled, found]).toEqual([name, width, width, []]);
}

describeInBrowser()('every view is for everybody and fits', () => {
  test.each([
    { name: 'in Icelandic', lang: '' },
    { name: 'in English', lang: '&lang=en' },
  ])(
    '$name',
    async ({ lang }) => {
      const { world, url } = admin;
      const { members } = world.django;
      await world.reset(MEMBERS);
      const { page, misconduct } = await signedIn(url);
      // Colours are looked at once; narrow and dark what has parts of its own.
      const see = async (name: string, appearances = [wide]) => {
        for (const appearance of appearances) await check(page, name, appearance, lang === '');
      };
      const seeBoth = (name: string) => see(name, lang === '' ? [wide, narrow] : [narrow]);
      const open = async (query: string) => {
        await page.goto(`${url}?${query}${lang}`);
        await seeBoth(query);
      };
      // As the script of no page does: a form that is not shown.
      const post = async (act: string, values: Record<string, string>) => {
        await page.goto(`${url}?view=member${lang}`);
        await page.evaluate(`(() => {
          const form = document.querySelector('form[action*="do=find"]');
          form.action = ${JSON.stringify(`?do=${act}${lang}`)};
          const values = ${JSON.stringify(values)};
          form.replaceChildren(...Object.entries(values).map(([name, value]) =>
            Object.assign(document.createElement('input'), { name, value })));
        })()`);
        await Promise.all([
          page.waitForNavigation(),
          page.evaluate(`document.querySelector('form[action*="do=${act}"]').submit()`),
        ]);
        await see(act);
      };

      await open('view=status');
      const { run_id: first } = await world.run();
      members.update(5, { name: 7 });
      members.update(6, {
        name: 'Nafn sem er svo langt að það kemst varla fyrir í einni línu á síma',
      });
      members.update(7, { email: `${'langt'.repeat(12)}@${'netfang'.repeat(8)}.example` });
      await world.database.query(
        `update public.members set is_active = false where external_id = '8'`,
      );
      for (let id = 10; id < 22; id++) members.remove(id);
      const { run_id: held } = await world.run({ mode: 'full' });
      for (const query of [
        'status',
        'look',
        'member',
        'member&id=4',
        'member&id=8',
        'waiting',
        'history',
        `run&id=${held}`,
        `run&id=${first}`,
        'run&id=999999',
        'nothing',
      ]) {
        await open(`view=${query}`);
      }
      await page.goto(`${url}?view=history${lang}`);
      await page.click('summary');
      await seeBoth('the figures of the chart');

      await post('find', { whom: 'son' });
      await post('find', { whom: 'nobody at all' });
      for (const id of ['4', '5', '10', '999']) await post('ask', { id });
      await post('look', {});
      const plan = new URL(page.url()).searchParams.get('plan') ?? '';
      await open(`view=look&plan=${plan}&tab=add`);
      const approval = { plan, class: 'removals', typed: '12' };
      await post('approve', { ...approval, typed: '11' });
      members.remove(22);
      await post('approve', approval);
      await seeBoth('what changed meanwhile');
      expect(await textOf(page)).toContain(lang ? '+ new' : '+ nýtt');
      await page.click('a.button');
      const now = new URL(page.url()).searchParams.get('plan') ?? '';
      await post('approve', { ...approval, plan: now, typed: '13' });
      const run = new URL(page.url()).searchParams.get('id') ?? '';
      await post('lookUndo', { run });
      await post('lookUndo', { run, member: '11' });
      const undo = new URL(page.url()).searchParams.get('plan') ?? '';
      await post('undo', { plan: undo, typed: '1' });
      await open('view=member&id=11');
      await open(`view=status&started=${Date.now()}`);
      await post('approve', approval);

      const failing = world.django.misbehave({ kind: 'status', status: 500 });
      await world.run({ mode: 'full' }).catch(() => undefined);
      await open('view=status');
      await post('look', {});
      failing();
      expect(misconduct.foreign).toEqual([]);
      // A browser says in its console that a page came with an error, and nothing else may be there.
      expect(misconduct.console.filter((line) => !line.includes('Failed to load'))).toEqual([]);

      await page.context().clearCookies();
      await open('view=signIn');
      await page.fill('#key', `${ADMIN_KEY}x`);
      await page.click('button.main');
      await page.waitForSelector('[role=alert]');
      await seeBoth('a wrong key');
    },
    180_000,
  );

  test('and the check for that finds what is planted', async () => {
    const { page } = await signedIn(admin.url);
    await page.evaluate(`document.querySelector('main').innerHTML += '<input>'`);
    expect((await violations(page)).join()).toContain('label');
    await page.evaluate(`document.querySelector('main').style.color = '#ccc'`);
    expect((await violations(page)).join()).toContain('color-contrast');
  });
});
