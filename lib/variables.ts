import * as z from 'zod/mini';
import { DATABASE_URL_FORM, isDatabaseUrl } from './databaseUrl.ts';
import { isPersonalId } from './redact.ts';

// How one environment variable is read. Each schema takes `string | undefined`. Its words follow the
// variable's name, and never repeat the value, which may be a secret.

const wrong = Symbol('wrong');

function parsed<T>(parse: (value: string) => T | typeof wrong, message: string, fallback?: string) {
  return z.pipe(
    z.optional(z.string()),
    z.transform((value: string | undefined, context): T => {
      const given = value ?? fallback;
      const result = given === undefined ? wrong : parse(given);
      if (result !== wrong) return result;
      context.issues.push({
        code: 'custom',
        message: given === undefined ? 'is missing' : message,
        input: undefined,
      });
      return z.NEVER;
    }),
  );
}

export const text = (fallback: string) => parsed((value) => value, '', fallback);

export const wholeNumber = (min: number, max: number, fallback: number) =>
  parsed(
    (value) => {
      const number = /^[0-9]{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : wrong;
    },
    `must be a whole number from ${min} to ${max}`,
    String(fallback),
  );

export const choice = <const C extends string>(choices: readonly C[], fallback: C) =>
  parsed(
    (value) => choices.find((one) => one.toLowerCase() === value.trim().toLowerCase()) ?? wrong,
    `must be one of ${choices.join(', ')}`,
    fallback,
  );

export const flag = (fallback: boolean) =>
  parsed(
    (value) => {
      const word = value.trim().toLowerCase();
      if (['true', '1', 'yes', 'on'].includes(word)) return true;
      return ['false', '0', 'no', 'off'].includes(word) ? false : wrong;
    },
    'must be true or false',
    String(fallback),
  );

/** A share of the active members, or a number of members. */
export type Limit = { percent: number } | { count: number };

export const limit = (fallback: string) =>
  parsed<Limit>(
    (value) => {
      const match = /^([0-9]{1,9}(?:\.[0-9]{1,6})?)(%?)$/.exec(value.trim());
      if (!match) return wrong;
      const number = Number(match[1]);
      if (match[2] === '%') return number <= 100 ? { percent: number } : wrong;
      return Number.isInteger(number) ? { count: number } : wrong;
    },
    'must be a share such as 2% (at most 100%) or a whole number of members',
    fallback,
  );

/** The most that a limit allows: a share of so many, or a number, and the floor at least. */
export const allowance = (limit: Limit, of: number, floor: number) =>
  Math.max(
    floor,
    'percent' in limit ? Math.floor(roundOff(limit.percent * of) / 100) : limit.count,
  );

// 0.57 % of 10,000 are 57, and in binary a little less.
const roundOff = (product: number) => Number(product.toFixed(6));

const isHttpUrl = (value: string) => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password;
};

export const httpUrl = {
  check: (value: string) => isHttpUrl(value),
  message: 'must be an http:// or https:// URL without a user name or password in it',
};

/** The address of a member in another site, with the place of the Django id. */
export const memberUrl = {
  check: (value: string) => value.includes('{id}') && isHttpUrl(value.replaceAll('{id}', '1')),
  message: 'must be an http:// or https:// URL with {id} in it',
};

export const postgresUrl = { check: isDatabaseUrl, message: DATABASE_URL_FORM };

interface Form {
  check: (value: string) => boolean;
  message: string;
}

/** A variable that has no default. */
export const required = (form: Form = { check: () => true, message: '' }) =>
  parsed((value) => (form.check(value) ? value : wrong), form.message);

/** A variable that may be absent, which is the empty string. */
export const optional = (form: Form) =>
  parsed((value) => (value === '' || form.check(value) ? value : wrong), form.message, '');

/** What an HTTP header can carry as one word. */
export const headerValue = {
  check: (value: string) => /^[\x21-\x7e]+$/.test(value),
  message: 'must be printable ASCII without spaces or line ends',
};

/**
 * An account, as an identity token names it. Another script has letters that look the same, so it is in
 * ASCII. No token has `serviceAccount:` before it or a name around it.
 */
export const account = {
  check: (value: string) => /^([0-9]+|[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9.-]+)$/.test(value),
  message: 'must be an e-mail address in ASCII, and nothing else, or the numeric id of an account',
};

/** What the scheme Basic takes as its key (RFC 7617). */
export const userAndPassword = {
  check: (value: string) => /^[^:\p{Cc}]+:\P{Cc}+$/u.test(value),
  message: 'must be user:password with DJANGO_AUTH_SCHEME=Basic',
};

/** A key of Standard Webhooks, as its libraries take it: base64, with or without the whsec_ in front. */
export const signingKey = {
  check: (value: string) => {
    const [, key = ''] = /^(?:whsec_)?([A-Za-z0-9+/]+)={0,2}$/.exec(value) ?? [];
    return key.length > 1 && key.length % 4 !== 1;
  },
  message: 'must be whsec_ followed by base64',
};

export const hostAndPort = optional({
  check: (value) => /^[^\s/@:]+:[0-9]{1,5}$/.test(value),
  message: 'must be host:port',
});

const short = /^sm:\/\/(?<project>[^/#]+)\/(?<secret>[^/#]+)(?:#(?<version>[^/#]+))?$/;
const full = /^projects\/[^/]+\/(?:locations\/[^/]+\/)?secrets\/[^/]+\/versions\/[^/]+$/;

/** Whether a value refers to Secret Manager: `sm://PROJECT/SECRET[#VERSION]` or the full resource name. */
export function isSecretReference(value: string): boolean {
  return short.test(value) || full.test(value);
}

/** The resource name of the secret version that a reference means; the version defaults to `latest`. */
export function secretVersionName(reference: string): string | undefined {
  if (full.test(reference)) return reference;
  const groups = short.exec(reference)?.groups;
  if (!groups) return undefined;
  return `projects/${groups['project']}/secrets/${groups['secret']}/versions/${groups['version'] ?? 'latest'}`;
}

/** A variable whose value may be a reference to Secret Manager instead. */
export const secret = (schema: z.ZodMiniType<string, string | undefined>) =>
  z.pipe(
    z.optional(z.string()),
    z.transform((value: string | undefined, context): string => {
      if (value !== undefined && isSecretReference(value)) return value;
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      for (const issue of result.error.issues) {
        context.issues.push({ code: 'custom', message: issue.message, input: undefined });
      }
      return z.NEVER;
    }),
  );

/** A member's id in Django, which is in logs. */
export const djangoId: Form = {
  check: (value) => !isPersonalId(value) && !/[;"'\s]/.test(value),
  message: 'is no Django id, or looks like a kennitala, a name or an e-mail address',
};

/** A list; the variable may be absent, which is the empty list. */
export const commaSeparated = (form: Form = { check: () => true, message: '' }) =>
  parsed(
    (value) => {
      const items = value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean);
      return items.every(form.check) ? items : wrong;
    },
    `has an entry that ${form.message}`,
    '',
  );

export const pattern = parsed<RegExp | undefined>(
  (value) => {
    if (value === '') return undefined;
    try {
      return new RegExp(value, 'u');
    } catch {
      return wrong;
    }
  },
  'must be a regular expression',
  '',
);

const fields = ['id', 'kennitala', 'name', 'email', 'phone', 'is_active', 'deleted_at'] as const;

/** Our field → the keys that lead to it in a record of the register. */
export type FieldMap = Record<(typeof fields)[number], string[]>;

const someText = z.string().check(z.minLength(1));
// A register that lists members only has no such key: "" says so.
const canBeMissing = (field: string) => field === 'is_active' || field === 'deleted_at';

export const fieldMap = parsed<FieldMap>(
  (value) => {
    let given: unknown;
    try {
      given = JSON.parse(value);
    } catch {
      return wrong;
    }
    const schema = z.strictObject(
      Object.fromEntries(
        fields.map((field) => [field, z.optional(canBeMissing(field) ? z.string() : someText)]),
      ),
    );
    const result = schema.safeParse(given);
    if (!result.success) return wrong;
    const paths = result.data as Record<string, string | undefined>;
    // The id is in logs and answers, where a kennitala must never be.
    if ((paths['id'] ?? 'id') === (paths['kennitala'] ?? 'kennitala')) return wrong;
    return Object.fromEntries(
      fields.map((field) => [field, (paths[field] ?? field).split('.')]),
    ) as FieldMap;
  },
  `must be a JSON object from our fields (${fields.join(', ')}) to dotted paths, with different ones for id and kennitala`,
  '{}',
);
