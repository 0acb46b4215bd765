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

const wide = { width: 1280, height: 900 };
const narrow = { width: 380, height: 900 };

/** Looks at a view wide and light, and narrow and dark where it has parts of its own. Colours take the most time. */
async function check(page: Page, name: string, how: { colours: boolean; parts: boolean }) {
  expect([name, await violations(page, how)]).toEqual([name, []]);
  await page.setViewportSize(narrow);
  const scrolled = await page.evaluate('document.documentElement.scrollWidth');
  expect([name, scrolled]).toEqual([name, narrow.width]);
  if (how.parts) {
    await page.emulateMedia({ colorScheme: 'dark' });
    expect([`${name}, dark`, await violations(page, how)]).toEqual([`${name}, dark`, []]);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await page.setViewportSize(wide);
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
      const { page, misconduct } = await signedIn(url, { width: wide.width });
      const isFirst = lang === '';
      const see = (name: string, parts = false) =>
        check(page, name, { colours: isFirst, parts: parts && isFirst });
      const open = async (query: string, parts = false) => {
        await page.goto(`${url}?${query}${lang}`);
        await see(query, parts);
      };
      const post = async (act: string, values: Record<string, string>, parts = false) => {
        const sent = page.waitForNavigation();
        await page.evaluate(`(() => {
          const form = document.createElement('form');
          form.method = 'post';
          form.action = ${JSON.stringify(`?do=${act}${lang}`)};
          for (const [name, value] of Object.entries(${JSON.stringify(values)})) {
            form.append(Object.assign(document.createElement('input'), { name, value }));
          }
          document.body.append(form);
          form.submit();
        })()`);
        await sent;
        await see(act, parts);
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
      for (const query of ['status', 'member&id=4', 'waiting', `run&id=${held}`]) {
        await open(`view=${query}`, true);
      }
      for (const query of [
        'look',
        'member',
        'member&id=8',
        `run&id=${first}`,
        'run&id=9999',
        'no',
      ]) {
        await open(`view=${query}`);
      }
      await page.goto(`${url}?view=history${lang}`);
      await page.click('summary');
      await see('the history, with the figures of its chart', true);

      await post('find', { whom: 'son' });
      await post('find', { whom: 'nobody at all' });
      for (const id of ['4', '5', '10', '999']) await post('ask', { id });
      await post('look', {}, true);
      const plan = new URL(page.url()).searchParams.get('plan') ?? '';
      await open(`view=look&plan=${plan}&tab=add`);
      const approval = { plan, class: 'removals', typed: '12' };
      await post('approve', { ...approval, typed: '11' });
      members.remove(22);
      // It changed meanwhile.
      await post('approve', approval, true);
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
      await post('look', {}, true);
      failing();
      expect(misconduct.foreign).toEqual([]);
      // A browser says in its console that a page came with an error, and nothing else may be there.
      expect(misconduct.console.filter((line) => !line.includes('Failed to load'))).toEqual([]);

      await page.context().clearCookies();
      await open('view=signIn');
      await page.fill('#key', `${ADMIN_KEY}x`);
      await page.click('button.main');
      await page.waitForSelector('[role=alert]');
      await see('a wrong key', true);
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
