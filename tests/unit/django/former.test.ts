import { loadConfig } from '../../../lib/config.ts';
import { noKeys } from '../../../lib/django/membershipKeys.ts';
import { parseRecord } from '../../../lib/django/record.ts';

const { DJANGO_FIELD_MAP } = loadConfig(
  { DJANGO_BASE_URL: 'http://register', DJANGO_API_KEY: 'key' },
  ['django'],
).django;

const rules = {
  fieldMap: DJANGO_FIELD_MAP,
  exclude: undefined,
  now: 0,
  damaged: false,
  required: noKeys,
};

test.each([
  { name: 'null', kennitala: null },
  { name: 'blank', kennitala: '' },
  { name: 'a dash', kennitala: '-' },
  { name: 'a word', kennitala: 'anonymised 17' },
])('a leaver whose kennitala was made $name is a former member by id', ({ kennitala }) => {
  const record = { id: 7, kennitala, name: '', is_active: false };
  expect(parseRecord(record, rules)).toEqual({
    kind: 'former',
    externalId: '7',
  });
});

test.each([
  { name: 'a member', record: { id: 7, kennitala: null, name: 'Anna' } },
  { name: 'a leaver without the key', record: { id: 7, is_active: false } },
  { name: 'a leaver with half a kennitala', record: { id: 7, kennitala: '01', is_active: false } },
])('$name without a readable kennitala is a rejected record', ({ record }) => {
  expect(parseRecord(record, rules)).toMatchObject({
    kind: 'rejected',
    rejection: { code: 'invalid_kennitala', externalId: '7' },
  });
});
