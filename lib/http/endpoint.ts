import type { HttpFunction } from '@google-cloud/functions-framework';
import * as z from 'zod/mini';
import {
  type Config,
  ConfigError,
  type ConfigGroup,
  type Environment,
  loadConfig,
  problemWithSecret,
  type SecretsOf,
  secretsOf,
} from '../config.ts';
import { createLog, type Log } from '../log.ts';
import { createSecretFetcher } from '../secretManager.ts';
import { type Credential, openCredential, type SecretName } from '../secrets.ts';
import { authenticate, authorize, schedulerHints } from './auth.ts';
import { createAuthPolicy } from './authPolicy.ts';
import { readParameters } from './parameters.ts';
import { receive } from './request.ts';
import type { Route } from './routes.ts';
import { type Answer, type Incoming, serve } from './serve.ts';

type Needs<G extends ConfigGroup> = G | 'runtime' | 'auth';

/** A credential for each secret of the configuration groups. */
export type Secrets<G extends ConfigGroup = ConfigGroup> = Record<SecretsOf<G>, Credential>;

/** One call that has passed every check. */
export interface Call<G extends ConfigGroup, P> extends Omit<Incoming, 'request'> {
  config: Config<Needs<G>>;
  secrets: Secrets<Needs<G>>;
  parameters: P;
  /** For the log: an e-mail, or `admin-key`. */
  caller: string;
}

export interface Endpoint<G extends ConfigGroup, P extends z.ZodMiniType> extends Route {
  /** Configuration besides `runtime` and `auth`; nothing else of the environment is looked at. */
  needs: readonly G[];
  /** A z.strictObject. Numbers and booleans may come as strings in the query; a body is strict. */
  parameters?: P;
  /** Whether the parameters may also come inside the envelope of a Pub/Sub push. */
  pubsub?: boolean;
  answer(call: Call<G, z.output<P>>): Promise<Answer>;
}

const noParameters = z.strictObject({});

/**
 * A handler for the functions framework: what serve.ts does, then who is calling, then the
 * parameters, then the answer. The configuration is parsed now, while the module loads, so that a
 * process with a broken environment does not start: throws ConfigError. Secrets start to be
 * fetched now and are awaited by the first request.
 */
export function endpoint<
  const G extends ConfigGroup,
  P extends z.ZodMiniType = typeof noParameters,
>(definition: Endpoint<G, P>, environment: Environment = process.env): HttpFunction {
  const config = readConfig(['runtime', 'auth', ...definition.needs], environment);
  const { LOG_LEVEL, GOOGLE_CLOUD_PROJECT, CLOUD_RUN_TIMEOUT_SECONDS } = config.runtime;
  const log = createLog(LOG_LEVEL).with({ route: definition.name });
  const secrets = openSecrets(config, ['auth', ...definition.needs], log);
  const policy = createAuthPolicy(config.auth, secrets.ADMIN_API_KEY, log);
  const needed = definition.needs.flatMap((group): SecretName[] => secretsOf(group));
  const schema = definition.parameters ?? noParameters;

  return serve({
    name: definition.name,
    path: definition.path,
    methods: definition.methods,
    level: LOG_LEVEL,
    project: GOOGLE_CLOUD_PROJECT,
    timeoutSeconds: CLOUD_RUN_TIMEOUT_SECONDS,
    async handle({ request, ...incoming }) {
      incoming.note(schedulerHints(request.headers));
      const caller = await authenticate(request.headersDistinct, policy);
      incoming.note({ caller: caller.name });
      authorize(caller, policy);
      const parameters = readParameters(await receive(request), schema, definition);
      await Promise.all(needed.map((name) => secrets[name].get()));
      return definition.answer({
        ...incoming,
        config,
        secrets,
        parameters: parameters as z.output<P>,
        caller: caller.name,
      });
    },
  });
}

// The framework prints what a module throws while loading, but as text in many lines; alerts and
// people read this one.
function readConfig<const G extends ConfigGroup>(groups: readonly G[], environment: Environment) {
  try {
    return loadConfig(environment, groups);
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
    names.map((name) => [name, openCredential(name, String(values[name]), sources)]),
  ) as Record<SecretName, Credential>;
}
