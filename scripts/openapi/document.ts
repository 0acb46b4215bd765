import * as z from 'zod/mini';
import { logsParameters } from '../../functions/logs/schema.ts';
import { statusParameters } from '../../functions/status/schema.ts';
import { dryRunParameters, syncParameters } from '../../functions/sync/schema.ts';
import { statusOf } from '../../lib/errors.ts';
import { failure } from './answers.ts';
import { type Operation, operations } from './operations.ts';

type Json = Record<string, unknown>;

const requests = {
  SyncRequest: syncParameters,
  DryRunRequest: dryRunParameters,
  StatusRequest: statusParameters,
  LogsRequest: logsParameters,
};
for (const [id, schema] of Object.entries(requests)) z.globalRegistry.add(schema, { id });

const describe = (schema: z.core.$ZodType, description: string) =>
  z.globalRegistry.add(schema, { description });
const { shape } = syncParameters;
describe(shape.sync_type, 'Why the run takes place; `scheduled` is stored as `membership`.');
describe(shape.mode, 'How the register is read. Left out: as the configuration says.');
describe(
  shape.undo,
  'The run whose changes are taken back; with external_ids, those of these members only.',
);
describe(shape.external_ids, 'Only these members, by Django id.');
describe(
  shape.plan,
  'The digest of the plan that is approved, as a dry run or a held run gave it.',
);
describe(shape.classes, 'With plan: only these classes of change are approved; left out: all.');
describe(
  shape.release,
  'With external_ids: these members become active though suspended here; false lets go of a held release.',
);
describe(dryRunParameters.shape.after, 'The `next` of the dry run before: where the list goes on.');
describe(
  dryRunParameters.shape.details,
  'Whether each change says whose it is, from what to what, and why.',
);
describe(dryRunParameters.shape.limit, 'How many changes are listed; 100 when left out.');
describe(
  statusParameters.shape.within_minutes,
  'How old the last complete full run may be for an election to open; 60 when left out.',
);
describe(statusParameters.shape.list, 'Lists the members behind this code as well, 200 at a time.');
describe(statusParameters.shape.skip, 'How many of the list to leave out: its `next`.');
const logs = logsParameters.shape;
describe(logs.limit, 'How many rows; 20 when left out, at most 200, or 100000 as csv.');
describe(logs.before, '`next_before` of the page before.');
describe(logs.run_id, 'The changes of this run.');
describe(logs.external_id, 'The member with this Django id, and their history.');
describe(logs.kennitala, 'The same by kennitala; in the body of a POST only.');
describe(logs.caller, 'Only runs that this account started or approved.');
describe(logs.from, 'The first day, in UTC.');
describe(logs.to, 'The last day, in UTC.');
describe(logs.language, 'The separator of csv: `;` for is (when left out), `,` for en.');

/**
 * The API as an OpenAPI 3.1 document, made from the schemas that the functions themselves use.
 * Published, it allows answers to gain fields; `strict` does not, for the test of real answers.
 */
export function openApiDocument(version: string, { strict = false } = {}): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = Object.fromEntries(
      operation.methods.map((method) => [
        method.toLowerCase(),
        describeOperation(operation, method),
      ]),
    );
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'membership-sync',
      version,
      description:
        'Keeps public.members in PostgreSQL equal to a Django member register. Each function has a URL of its own in the cloud and answers at `/`, at `/<function>` and at the path given here; locally and behind a gateway all five are on one.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost:8080', description: 'npm start' }],
    security: [{ adminKey: [] }, { googleIdentity: [] }],
    paths,
    components: {
      securitySchemes: {
        adminKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'ADMIN_API_KEY; or WEBHOOK_KEY, with which members are reported and nothing else.',
        },
        googleIdentity: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A Google identity token of an account that may invoke the function.',
        },
      },
      schemas: components(strict),
    },
  };
}

function describeOperation(operation: Operation, method: string): Json {
  const { name, summary, parameters, answers, errors, bodyOnly = [], csv = false } = operation;
  const table = { 'text/csv': { schema: { type: 'string' } } };
  const inUrl = parameters ? inQuery(parameters) : [];
  const operationId = operation.methods.length > 1 && method === 'POST' ? `${name}ByPost` : name;
  return {
    operationId,
    summary,
    ...(name === 'health' ? { security: [] } : {}),
    ...(parameters && method === 'GET'
      ? { parameters: inUrl.filter(({ name }) => !bodyOnly.includes(String(name))) }
      : {}),
    ...(parameters && method === 'POST'
      ? { requestBody: { required: false, content: json(reference(parameters)) } }
      : {}),
    responses: {
      200: {
        description: summary,
        content: { ...json(either(answers.map(reference))), ...(csv ? table : {}) },
      },
      ...errorResponses(errors),
    },
  };
}

// One response per status, naming the codes that come with it.
function errorResponses(errors: Operation['errors']): Json {
  const statuses = [...new Set(errors.map((code) => statusOf[code]))].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = errors.filter((code) => statusOf[code] === status);
      const description = codes.map((code) => `\`${code}\``).join(', ');
      return [status, { description, content: json(reference(failure)) }];
    }),
  );
}

function inQuery(schema: z.ZodMiniType): Json[] {
  const { properties = {} } = toJson(schema) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    description,
    schema: rest,
  }));
}

const json = (schema: Json) => ({ 'application/json': { schema } });
const either = (schemas: Json[]) =>
  (schemas.length === 1 ? schemas[0] : { oneOf: schemas }) as Json;
const reference = (schema: z.ZodMiniType): Json => ({
  $ref: `#/components/schemas/${z.globalRegistry.get(schema)?.id}`,
});

const toJson = (schema: z.ZodMiniType) => z.toJSONSchema(schema, { override: simplify }) as Json;

function components(strict: boolean): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    uri: (id) => `#/components/schemas/${id}`,
    override: simplify,
  });
  return Object.fromEntries(
    Object.entries(schemas)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([id, { $schema, $id, ...schema }]) => [
        id,
        strict || Object.hasOwn(requests, id) ? schema : open(schema),
      ]),
  );
}

// What zod adds for itself: bounds that every number of JavaScript has, a pattern that the format says.
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern'];
}

function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== 'additionalProperties' || inner !== false)
      .map(([key, inner]) => [key, open(inner)]),
  );
}
