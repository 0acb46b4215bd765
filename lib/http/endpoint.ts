import type { HttpFunction } from '@google-cloud/functions-framework';
import * as z from 'zod/mini';
import {
  type Config,
  ConfigError,
  type ConfigGroup,
  type Environment,
  loadConfig,
  type SecretsOf,
  secretsOf,
  sourceOf,
} from '../config.ts';
import { SyncError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import { createSecretFetcher } from '../secretManager.ts';
import { type Credential, openCredential, problemWithSecret, type SecretName } from '../secrets.ts';
import type { Answer } from './answer.ts';
import { authenticate, authorize, schedulerHints } from './auth.ts';
import { type AuthPolicy, createAuthPolicy, forbidden, mayAsk, type Right } from './authPolicy.ts';
import { readParameters } from './parameters.ts';
import type { Route } from './request.ts';
import { type Incoming, type Service, serve } from './serve.ts';

type Needs<G extends ConfigGroup> = G | 'runtime' | 'auth';

/** A credential for each secret of the configuration groups. */
export type Secrets<G extends ConfigGroup = ConfigGroup> = Record<SecretsOf<G>, Credential>;

/** One call that has passed every check. */
export interface Call<G extends ConfigGroup, P> extends Omit<Incoming, 'request' | 'body'> {
  config: Config<Needs<G>>;
  secrets: Secrets<Needs<G>>;
  parameters: P;
  /** For sync_log: an e-mail, the id of an account, the name of a key, or `EMAIL via page`. */
  caller: string;
}

export interface Endpoint<G extends ConfigGroup, P extends z.ZodMiniType> extends Route {
  /** Configuration besides `runtime` and `auth`; nothing else of the environment is looked at. */
  needs: readonly G[];
  /** A z.strictObject. Numbers and booleans may come as strings in the query; a body is strict. */
  parameters?: P;
  /** Parameters that are refused in a query string, because URLs are logged. */
  bodyOnly?: readonly string[];
  /** Whether the parameters may also come inside the envelope of a Pub/Sub push. */
  pubsub?: boolean;
  /** Whether callers with fewer rights than to decide may call it at all. */
  restricted?: boolean;
  /** Whether it may stand behind Identity-Aware Proxy. */
  behindProxy?: boolean;
  answer(call: Call<G, z.output<P>>): Promise<Answer>;
}

const noParameters = z.strictObject({});

/**
 * A handler for the functions framework: after the checks of serve.ts come the caller, the parameters and
 * the answer. The configuration is parsed now, while the module loads: a process with a broken environment
 * does not start. Secrets are fetched from now on, and the first request waits for them. Throws ConfigError.
 */
export function endpoint<
  const G extends ConfigGroup,
  P extends z.ZodMiniType = typeof noParameters,
>(definition: Endpoint<G, P>, environment: Environment = process.env): HttpFunction {
  const { config, secrets, policy, service } = prepare(definition, environment);
  const needed = definition.needs.flatMap((group): SecretName[] => secretsOf(group));
  const schema = definition.parameters ?? noParameters;

  return serve({
    ...service,
    async handle({ request, ...incoming }) {
      incoming.note(schedulerHints(request.headers));
      const caller = await authenticate(request.headersDistinct, policy);
      incoming.note({ caller: caller.name });
      const rights = authorize(caller, policy);
      if (!definition.restricted) requireDecider(rights);
      const { query, headers } = request;
      const given = { query, headers, body: incoming.body };
      const parameters = readParameters(given, schema, definition) as z.output<P>;
      if (!mayAsk(rights, parameters as object)) requireDecider(rights);
      await Promise.all(needed.map((name) => secrets[name].get()));
      const call = { ...incoming, config, secrets, parameters, caller: caller.name };
      return definition.answer(call).catch((error) => {
        throw rights.includes('decide') ? error : withoutExtra(error);
      });
    },
  });
}

interface Prepared<G extends ConfigGroup> {
  config: Config<Needs<G>>;
  secrets: Record<SecretName, Credential>;
  policy: AuthPolicy;
  /** What serve.ts needs besides the handler. */
  service: Omit<Service, 'handle'>;
}

/**
 * The configuration, secrets and rules of authentication of a function. Throws ConfigError, which is logged
 * as well.
 */
export function prepare<const G extends ConfigGroup>(
  definition: Pick<Endpoint<G, z.ZodMiniType>, 'needs' | 'behindProxy' | keyof Route>,
  environment: Environment = process.env,
): Prepared<G> {
  const { name, path, methods, needs } = definition;
  const config = readConfig(definition, environment);
  const { LOG_LEVEL, GOOGLE_CLOUD_PROJECT, CLOUD_RUN_TIMEOUT_SECONDS } = config.runtime;
  const log = createLog(LOG_LEVEL).with({ route: name });
  const secrets = openSecrets(config, ['auth', ...needs], environment, log);
  const keys = { 'admin-key': secrets.ADMIN_API_KEY, 'webhook-key': secrets.WEBHOOK_KEY };
  const policy = createAuthPolicy(config.auth, keys, log);
  const service = {
    name,
    path,
    methods,
    level: LOG_LEVEL,
    project: GOOGLE_CLOUD_PROJECT,
    timeoutSeconds: CLOUD_RUN_TIMEOUT_SECONDS,
  };
  return { config, secrets, policy, service };
}

function requireDecider(rights: readonly Right[]): void {
  if (rights.includes('decide')) return;
  const may = { report: 'report members (external_ids alone)', start: 'start ordinary runs' };
  const allowed = rights.map((right) => right !== 'decide' && may[right]).join(' and ');
  throw forbidden(`This caller may only ${allowed}.`);
}

// What helps to decide, such as the digest of an approval, is for callers with the right to decide.
function withoutExtra(thrown: unknown): unknown {
  if (!(thrown instanceof SyncError)) return thrown;
  const { code, message, cause, runId } = thrown;
  return new SyncError(code, message, { cause, runId });
}

// The framework prints what a module throws while it loads, but as text in many lines. Alerts and people read
// this one line.
function readConfig<const G extends ConfigGroup>(
  { needs, behindProxy, name }: Pick<Endpoint<G, z.ZodMiniType>, 'needs' | 'behindProxy' | 'name'>,
  environment: Environment,
): Config<Needs<G>> {
  try {
    const config = loadConfig(environment, ['runtime', 'auth', ...needs]);
    // Neither the scheduler nor another function passes Identity-Aware Proxy.
    if (config.auth.AUTH_MODE === 'iap' && !behindProxy) {
      throw new ConfigError([`AUTH_MODE must be key or iam for ${name}`]);
    }
    return config;
  } catch (error) {
    if (error instanceof ConfigError) {
      createLog('CRITICAL')('CRITICAL', 'config_invalid', error.message, {
        problems: error.problems,
      });
    }
    throw error;
  }
}

function openSecrets(
  config: Config<'runtime'>,
  groups: readonly ConfigGroup[],
  environment: Environment,
  log: Log,
): Record<SecretName, Credential> {
  const { SECRET_MANAGER_EMULATOR_HOST, NODE_ENV } = config.runtime;
  const sources = {
    fetch: createSecretFetcher(SECRET_MANAGER_EMULATOR_HOST),
    problemWith: problemWithSecret(NODE_ENV),
    log,
  };
  const values: Record<string, unknown> = Object.assign({}, ...Object.values(config));
  const names = groups.flatMap((group): SecretName[] => secretsOf(group));
  return Object.fromEntries(
    names.map((name) => [
      name,
      openCredential(sourceOf(name, environment), String(values[name]), sources),
    ]),
  ) as Record<SecretName, Credential>;
}
