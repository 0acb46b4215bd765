import { ConfigError, type ConfigGroup, loadConfig } from '../lib/config.ts';

// Says with the functions' own parser what they would not start with. Lines "FUNCTION NAME=value" on
// stdin; one problem a line on stdout, and exit status 1, or nothing.

/** What each function reads of its environment. */
export const groupsOf: Record<string, readonly ConfigGroup[]> = {
  syncScheduled: ['runtime', 'auth', 'database', 'django', 'sync', 'notify'],
  syncDryRun: ['runtime', 'auth', 'database', 'django', 'sync', 'notify'],
  syncStatus: ['runtime', 'auth', 'reader', 'sync'],
  syncLogs: ['runtime', 'auth', 'reader'],
  syncAdmin: ['runtime', 'auth', 'reader', 'sync', 'admin'],
  health: ['runtime'],
};

/** The problems of all functions, each said once and without a value. */
function problemsOf(text: string): string[] {
  const environments = new Map<string, Record<string, string>>();
  for (const line of text.split('\n')) {
    const [, name = '', variable = '', value = ''] = /^(\w+) (\w+)=(.*)$/.exec(line) ?? [];
    if (name) environments.set(name, { ...environments.get(name), [variable]: value });
  }
  const problems = new Set<string>();
  for (const [name, environment] of environments) {
    try {
      loadConfig(environment, groupsOf[name] ?? ['runtime']);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
    }
  }
  return [...problems];
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const problems = problemsOf(Buffer.concat(chunks).toString());
  for (const problem of problems) console.log(`  ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
