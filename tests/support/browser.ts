import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterTests } from './cleanUp.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const installed = places.find((place) => existsSync(place));

/** `describe`, or a skipped one that says why when this machine has no browser. */
export function describeInBrowser(): typeof describe | typeof describe.skip {
  if (installed) return describe;
  process.stderr.write('skipped: chromium is not installed on this machine\n');
  return describe.skip;
}

/** What a page did that it must not do: it is looked at after each test. */
export interface Misconduct {
  console: string[];
  foreign: string[];
}

let launched: Promise<Browser> | undefined;

function launch(): Promise<Browser> {
  launched ??= chromium
    .launch({ executablePath: installed as string, args: ['--no-sandbox'] })
    .then((browser) => {
      // Its pages go with it, and on a machine that is busy it may take its time.
      afterTests(() => Promise.race([browser.close(), sleep(10_000, undefined, { ref: false })]));
      return browser;
    });
  return launched;
}

export interface PageOptions {
  width?: number;
  dark?: boolean;
  script?: boolean;
}

/**
 * A page of a browser of its own (no cookies of the others). `misconduct` gets every message of the console
 * and every request to another origin than `origin`.
 */
export async function openPage(
  origin: string,
  { width = 1100, dark = false, script = true }: PageOptions = {},
): Promise<{ page: Page; misconduct: Misconduct }> {
  const browser = await launch();
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    javaScriptEnabled: script,
    acceptDownloads: true,
  });
  const misconduct: Misconduct = { console: [], foreign: [] };
  const page = await context.newPage();
  page.on('console', (message) => misconduct.console.push(message.text()));
  page.on('pageerror', (error) => misconduct.console.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:')) misconduct.foreign.push(url);
  });
  return { page, misconduct };
}
