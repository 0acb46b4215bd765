import { ConfigError, type ConfigGroup, loadConfig } from '../lib/config.ts';
import { problemWithSecret, type SecretName, secretNames } from '../lib/secrets.ts';

// Says with the functions' own parser what they would not start with. Lines "FUNCTION NAME=value" on
// stdin, or with the name of a secret and the scheme of the register its value; one problem a line on stdout,
// and exit status 1, or nothing.

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
    for (const problem of parserOn(environment, groupsOf[name] ?? ['runtime'])) {
      problems.add(problem);
    }
    for (const [variable, value] of Object.entries(environment)) {
      const problem = addresses.has(variable) && problemWithAddresses(value);
      if (problem) problems.add(`${variable} ${problem}`);
    }
  }
  return [...problems];
}

function parserOn(environment: Record<string, string>, groups: readonly ConfigGroup[]): string[] {
  try {
    loadConfig(environment, groups);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

const addresses = new Set(['DJANGO_BASE_URL', 'DJANGO_ADMIN_URL', 'NOTIFY_URLS']);

// The parser takes http:// and this machine, which local use needs. In the cloud the one sends the key and the
// members unencrypted, and the other is the function itself.
function problemWithAddresses(value: string): string | undefined {
  for (const one of value.split(',').map((item) => item.trim())) {
    if (/^http:/i.test(one)) {
      return 'must be https:// where it is deployed, or all goes unencrypted';
    }
    if (/^https:\/\/(localhost|127\.|0\.|\[|[^/:]*\.localhost\b)/i.test(one)) {
      return 'must not be this machine: in the cloud that is the function itself';
    }
    if (/[\s"'<>\\^`|]/.test(one)) return 'must be an address without spaces and quotes';
  }
  return undefined;
}

const named = new RegExp(`^(?:export\\s+)?(?:${secretNames.join('|')})\\s*[=:]`);
/** What is wrong with the value of a secret, in words that do not repeat it. */
function problemWithValue(name: SecretName, value: string, scheme = ''): string | undefined {
  if (value !== value.trim()) return 'begins or ends with a space or a line end (such as CRLF)';
  if (/^(["'`]).*\1$/.test(value)) return 'stands in quotes, which would be part of it';
  if (named.test(value)) return 'begins with a name: the value alone is asked for';
  if (/^(bearer|basic|token|api-key)\s/i.test(value)) {
    return 'begins with its scheme, which is what DJANGO_AUTH_SCHEME says';
  }
  if (/sm:\/\/|^projects\/[^/]+\/secrets\//.test(value)) return 'is a reference, and not the value';
  const problem = problemWithSecret('production')(name, value);
  if (problem) return problem;
  if (name !== 'DJANGO_API_KEY') return undefined;
  const register = { DJANGO_BASE_URL: 'https://register', DJANGO_API_KEY: value };
  return parserOn({ ...register, ...(scheme ? { DJANGO_AUTH_SCHEME: scheme } : {}) }, ['django'])
    .find((one) => one.startsWith(`${name} `))
    ?.slice(name.length + 1);
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const [name, scheme] = process.argv.slice(2);
  const secret = secretNames.find((one) => one === name);
  if (secret) {
    const problem = problemWithValue(secret, text, scheme);
    if (problem) console.log(problem);
    process.exitCode = problem ? 1 : 0;
  } else {
    const problems = problemsOf(text);
    for (const problem of problems) console.log(`  ${problem}`);
    process.exitCode = problems.length > 0 ? 1 : 0;
  }
}
