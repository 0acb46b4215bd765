import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { openPage, type PageOptions } from './browser.ts';
import { ADMIN_KEY, type Reply, request } from './http.ts';
import { createWorld, type World } from './world.ts';

/** The built page with AUTH_MODE=key, and the built functions behind it. */
export interface AdminWorld {
  world: World;
  /** Of the page, without a query. */
  url: string;
  /** Every line that the page has written. */
  output(): string[];
}

export async function createAdminWorld(members: number): Promise<AdminWorld> {
  const world = await createWorld({ members });
  const [sync, dryRun] = await Promise.all([
    world.bundle('syncScheduled'),
    world.bundle('syncDryRun'),
  ]);
  const page = await world.bundle('syncAdmin', {
    SYNC_URL: sync.url,
    SYNC_DRY_RUN_URL: dryRun.url,
    DJANGO_ADMIN_URL: 'https://register.example/members/{id}/change/',
  });
  return { world, url: `${page.url}/admin`, output: page.output };
}

/** A browser in which somebody has signed in. */
export async function signedIn(url: string, options: PageOptions = {}) {
  const opened = await openPage(new URL(url).origin, options);
  await opened.page.goto(url);
  await opened.page.fill('#key', ADMIN_KEY);
  await opened.page.click('button.main');
  await opened.page.waitForSelector('dl.figures');
  return opened;
}

/** What everybody can read of a page. */
export const textOf = async (page: Page): Promise<string> => (await page.textContent('main')) ?? '';

/**
 * What is in the way of people who use the page otherwise than by eye and mouse: WCAG 2.2 AA, and good practice.
 * Colours take most of the time, and are the same in both languages.
 */
export async function violations(page: Page, { colours = true } = {}): Promise<string[]> {
  if (await page.evaluate('window.axe === undefined')) await page.evaluate(axe.source);
  const found = (await page.evaluate(`axe.run({
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    rules: { 'color-contrast': { enabled: ${colours} } },
    resultTypes: ['violations'], iframes: false, preload: false,
  })`)) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** What a browser says of a form on the page itself. */
const ours = { 'Sec-Fetch-Site': 'same-origin' };

/** Posts a form without a browser, as a page of ours would unless the headers say otherwise. */
export const postForm = (
  url: string,
  act: string,
  values: Record<string, string> = {},
  headers: Record<string, string> = ours,
): Promise<Reply> =>
  request(`${url}?do=${act}`, {
    method: 'POST',
    body: new URLSearchParams(values).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });

/** The headers of somebody who has signed in. */
export async function signedHeaders(url: string): Promise<Record<string, string>> {
  const reply = await postForm(url, 'signIn', { key: ADMIN_KEY });
  return { ...ours, cookie: String(reply.headers.get('set-cookie')).split(';')[0] ?? '' };
}
