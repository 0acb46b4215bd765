import { setTimeout as sleep } from 'node:timers/promises';
import { explain } from './explain.ts';
import { parseStartArguments, startUsage } from './start/arguments.ts';
import { createResources, stopOnSignals } from './start/resources.ts';

// The whole system on this machine, with nothing but the npm packages: `npm start -- --help` says how.

const SIGNAL_MS = 200;
const resources = createResources();
let serving = false;
const signals = stopOnSignals(resources, () => (serving ? 0 : 130));

async function run(): Promise<number | undefined> {
  const flags = parseStartArguments(process.argv.slice(2), process.env);
  if (flags.help) {
    console.log(startUsage);
    return 0;
  }
  // Loading the rest takes half a second, in which Ctrl-C has to work already.
  const { start } = await import('./start/main.ts');
  const exitCode = await start(flags, resources);
  serving = exitCode === undefined;
  return exitCode;
}

try {
  const exitCode = await run();
  if (exitCode !== undefined && !signals.asked()) await end(exitCode);
} catch (error) {
  // Ctrl-C ends the service of esbuild too, and the news of that may overtake the signal.
  await sleep(SIGNAL_MS);
  if (!signals.asked()) {
    console.error(explain(error));
    await end(1);
  }
}

async function end(exitCode: number): Promise<void> {
  await resources.stopAll();
  process.exit(exitCode);
}
