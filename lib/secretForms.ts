import { isSecretReference, type SecretName } from './secrets.ts';
import { headerValue, postgresUrl, signingKey, userAndPassword } from './variables.ts';

/**
 * What is wrong with the value behind a reference to Secret Manager, in words that do not repeat it.
 * Undefined when the environment itself could have held it.
 */
export function problemWithSecret(nodeEnv: string) {
  return (name: SecretName, value: string): string | undefined => {
    if (value === '') return 'is empty';
    if (isSecretReference(value)) return 'is itself a reference';
    if (ourKeys.has(name) && isTooShort(value, nodeEnv)) return tooShort;
    const form = forms[name] ?? headerValue;
    return form.check(value) ? undefined : form.message;
  };
}

// A secret is read without its scheme beside it.
const djangoKey = {
  check: (value: string) => headerValue.check(value) || userAndPassword.check(value),
  message: headerValue.message,
};

const forms: Partial<Record<SecretName, typeof headerValue>> = {
  DATABASE_URL: postgresUrl,
  DATABASE_READER_URL: postgresUrl,
  DJANGO_API_KEY: djangoKey,
  NOTIFY_SECRET: signingKey,
};

const ourKeys = new Set<SecretName>(['ADMIN_API_KEY', 'WEBHOOK_KEY']);
/** The shortest key of ours accepted outside development and tests, in characters. */
const SHORTEST_KEY = 32;
export const tooShort = `is too short: at least ${SHORTEST_KEY} characters outside development`;
export const isTooShort = (key: string, nodeEnv: string | undefined) =>
  key.length < SHORTEST_KEY && !['development', 'test'].includes(nodeEnv ?? '');
