import type * as z from 'zod/mini';
import { SyncError } from './errors.ts';
import { isTooShort, type SecretName, secretNames, tooShort } from './secrets.ts';
import {
  account,
  choice,
  commaSeparated,
  djangoId,
  fieldMap,
  flag,
  headerValue,
  hostAndPort,
  httpUrl,
  isSecretReference,
  limit,
  memberUrl,
  optional,
  pattern,
  postgresUrl,
  required,
  secret,
  signingKey,
  text,
  userAndPassword,
  wholeNumber,
} from './variables.ts';

// One entry per environment variable, grouped by what a function needs. docs and .env.example list the same names.
const variables = {
  runtime: {
    NODE_ENV: choice(['development', 'test', 'staging', 'production'], 'development'),
    PORT: wholeNumber(1, 65535, 8080),
    LOG_LEVEL: choice(['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'], 'INFO'),
    GOOGLE_CLOUD_PROJECT: text(''),
    CLOUD_RUN_TIMEOUT_SECONDS: wholeNumber(10, 3600, 540),
    SECRET_MANAGER_EMULATOR_HOST: hostAndPort,
  },
  auth: {
    ADMIN_API_KEY: secret(optional(headerValue)),
    WEBHOOK_KEY: secret(optional(headerValue)),
    AUTH_MODE: choice(['key', 'iam', 'iap'], 'key'),
    ALLOWED_CALLERS: commaSeparated(account),
    WEBHOOK_CALLERS: commaSeparated(account),
    SCHEDULER_CALLERS: commaSeparated(account),
    ADMIN_PAGE_CALLER: optional(account),
    AUTH_AUDIENCE: commaSeparated(),
    AUTH_CERTS_URL: optional(httpUrl),
  },
  database: {
    DATABASE_URL: secret(required(postgresUrl)),
  },
  reader: {
    DATABASE_READER_URL: secret(required(postgresUrl)),
  },
  django: {
    DJANGO_BASE_URL: required(httpUrl),
    DJANGO_API_KEY: secret(required()),
    DJANGO_AUTH_SCHEME: choice(['Bearer', 'Token', 'Basic'], 'Bearer'),
    DJANGO_MEMBERS_PATH: text('/api/members'),
    DJANGO_PAGE_SIZE: wholeNumber(1, 10_000, 500),
    DJANGO_CONCURRENCY: wholeNumber(1, 32, 4),
    DJANGO_TIMEOUT_MS: wholeNumber(100, 600_000, 30_000),
    DJANGO_MAX_RETRIES: wholeNumber(0, 20, 4),
    DJANGO_MODIFIED_SINCE_PARAM: text(''),
    DJANGO_FIELD_MAP: fieldMap,
    DJANGO_EXCLUDE_KENNITALA: pattern,
  },
  sync: {
    SYNC_ENABLED: flag(true),
    SYNC_INTERVAL_MINUTES: wholeNumber(1, 10_080, 60),
    SYNC_FULL_INTERVAL_MINUTES: wholeNumber(1, 525_600, 1440),
    SYNC_MAX_REMOVALS: limit('2%'),
    SYNC_MAX_ADDITIONS: limit('10%'),
    SYNC_MAX_UPDATES: limit('50%'),
    SYNC_MAX_KENNITALA_CHANGES: limit('2%'),
    SYNC_MAX_SET_ASIDE: limit('5%'),
    SYNC_LIMIT_FLOOR: wholeNumber(0, 1_000_000, 10),
    SYNC_LIMIT_WINDOW_HOURS: wholeNumber(1, 8760, 24),
    SYNC_STAMP_HOURS: wholeNumber(0, 8760, 24),
    SYNC_CANARY_IDS: commaSeparated(djangoId),
    SYNC_CONFIRM_REMOVALS: choice(['auto', 'always', 'never'], 'auto'),
    AUDIT_RETENTION_DAYS: wholeNumber(0, 36_500, 730),
  },
  admin: {
    SYNC_URL: required(httpUrl),
    SYNC_DRY_RUN_URL: required(httpUrl),
    ADMIN_VIEWERS: commaSeparated(account),
    ADMIN_APPROVERS: commaSeparated(account),
    DJANGO_ADMIN_URL: optional(memberUrl),
  },
  notify: {
    NOTIFY_URLS: commaSeparated(httpUrl),
    NOTIFY_SECRET: secret(optional(signingKey)),
  },
} as const;

// What stands for a variable that is not set.
const substitutes: Partial<Record<string, SecretName>> = { DATABASE_READER_URL: 'DATABASE_URL' };

/** The variable that is read for this one: itself, or what stands for it where it is not set. */
export const sourceOf = <N extends string>(name: N, environment: Environment): N | SecretName =>
  environment[name] ? name : (substitutes[name] ?? name);

/** The names of all variables, as .env.example lists them. */
export const variableNames: string[] = Object.values(variables).flatMap(Object.keys);

export type ConfigGroup = keyof typeof variables;
type Parsed<G extends ConfigGroup> = {
  [V in keyof (typeof variables)[G]]: z.output<(typeof variables)[G][V] & z.ZodMiniType>;
};

/** Every setting of the groups asked for, under the name of its environment variable. */
export type Config<G extends ConfigGroup = ConfigGroup> = { [K in G]: Parsed<K> };
export type Environment = Record<string, string | undefined>;

/** Thrown when the environment cannot be used; names every missing or malformed variable at once. */
export class ConfigError extends SyncError {
  override readonly name = 'ConfigError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(
      'internal_error',
      `The configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee .env.example for every variable.`,
    );
    this.problems = problems;
  }
}

/**
 * Parses the environment once. A variable set to the empty string counts as not set. Groups that a
 * function does not use are not looked at. Throws ConfigError; it never repeats a value.
 */
export function loadConfig<const G extends ConfigGroup>(
  environment: Environment,
  groups: readonly G[],
): Config<G> {
  const problems: string[] = [];
  const config: Record<string, Record<string, unknown>> = {};
  for (const group of groups) {
    config[group] = {};
    for (const [name, schema] of Object.entries<z.ZodMiniType>(variables[group])) {
      const source = sourceOf(name, environment);
      const result = schema.safeParse(environment[source] || undefined);
      if (result.success) {
        config[group][name] = result.data;
      } else problems.push(...result.error.issues.map((issue) => `${source} ${issue.message}`));
    }
  }
  problems.push(...crossChecks(config as Incomplete));
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return config as Config<G>;
}

/** The secrets among the variables of some groups. */
export type SecretsOf<G extends ConfigGroup> = {
  [K in G]: Extract<keyof (typeof variables)[K], SecretName>;
}[G];

/** The secrets among the variables of a group. */
export function secretsOf<G extends ConfigGroup>(group: G): SecretsOf<G>[] {
  return secretNames.filter((name) => name in variables[group]) as SecretsOf<G>[];
}

type Incomplete = { [G in ConfigGroup]?: Partial<Config[G]> };

// What depends on more than one variable. A variable that could not be read is missing here, and is reported
// already. One that was not set is empty.
function crossChecks({ runtime, auth, django, admin, notify }: Incomplete): string[] {
  return [
    ...(auth ? authProblems(auth, runtime?.NODE_ENV) : []),
    ...(django ? djangoProblems(django) : []),
    ...(admin && auth ? adminProblems(admin, auth) : []),
    ...(notify?.NOTIFY_URLS?.length && notify.NOTIFY_SECRET === ''
      ? ['NOTIFY_SECRET is missing (needed with NOTIFY_URLS)']
      : []),
  ];
}

// Where a proxy or IAM lets people in, the lists say what each may do; the key lets its holder do all.
function adminProblems(
  { ADMIN_VIEWERS: viewers, ADMIN_APPROVERS: approvers }: Partial<Config['admin']>,
  { AUTH_MODE }: Partial<Config['auth']>,
): string[] {
  const isNobody = viewers?.length === 0 && approvers?.length === 0;
  return isNobody && AUTH_MODE !== 'key'
    ? [
        `ADMIN_APPROVERS and ADMIN_VIEWERS are both empty (with AUTH_MODE=${AUTH_MODE} nobody could look)`,
      ]
    : [];
}

function djangoProblems(django: Partial<Config['django']>): string[] {
  const { DJANGO_API_KEY: key, DJANGO_AUTH_SCHEME: scheme } = django;
  if (!key || isSecretReference(key)) return [];
  const form = scheme === 'Basic' ? userAndPassword : headerValue;
  return form.check(key) ? [] : [`DJANGO_API_KEY ${form.message}`];
}

function authProblems(auth: Partial<Config['auth']>, nodeEnv: string | undefined): string[] {
  const problems: string[] = [];
  const { AUTH_MODE, ADMIN_API_KEY, WEBHOOK_KEY, ADMIN_PAGE_CALLER: page } = auth;
  if (AUTH_MODE === 'key' && ADMIN_API_KEY === '') {
    problems.push('ADMIN_API_KEY is missing (needed with AUTH_MODE=key)');
  }
  for (const [name, key] of Object.entries({ ADMIN_API_KEY, WEBHOOK_KEY })) {
    if (key && isTooShort(key, nodeEnv) && !isSecretReference(key)) {
      problems.push(`${name} ${tooShort}`);
    }
  }
  if (WEBHOOK_KEY && WEBHOOK_KEY === ADMIN_API_KEY) {
    problems.push('WEBHOOK_KEY is the same as ADMIN_API_KEY, so it would decide, too');
  }
  if (AUTH_MODE === 'iap' && auth.AUTH_AUDIENCE?.length === 0) {
    problems.push('AUTH_AUDIENCE is missing (needed with AUTH_MODE=iap)');
  }
  const restricted = [...(auth.WEBHOOK_CALLERS ?? []), ...(auth.SCHEDULER_CALLERS ?? [])];
  if (page && restricted.some((one) => one.toLowerCase() === page.toLowerCase())) {
    problems.push(
      'ADMIN_PAGE_CALLER is in WEBHOOK_CALLERS or SCHEDULER_CALLERS, so it may not decide',
    );
  }
  if (auth.AUTH_CERTS_URL && nodeEnv === 'production') {
    problems.push(
      'AUTH_CERTS_URL is for development and tests only: it decides which tokens are trusted',
    );
  }
  return problems;
}
