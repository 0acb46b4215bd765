import { isSecretReference, secretVersionName } from '../../lib/secretReference.ts';

test.each([
  ['sm://project/name', 'projects/project/secrets/name/versions/latest'],
  ['sm://project/name#3', 'projects/project/secrets/name/versions/3'],
  ['projects/p/secrets/s/versions/latest', 'projects/p/secrets/s/versions/latest'],
  [
    'projects/p/locations/europe-west2/secrets/s/versions/7',
    'projects/p/locations/europe-west2/secrets/s/versions/7',
  ],
])('%s refers to %s', (reference, name) => {
  expect(isSecretReference(reference)).toBe(true);
  expect(secretVersionName(reference)).toBe(name);
});

test.each([
  '',
  'sm://',
  'sm://project',
  'sm://project/name/more',
  'sm://project/name#',
  'sm://project/name#1#2',
  ' sm://project/name',
  'SM://project/name',
  'projects/p/secrets/s',
  'projects/p/secrets/s/versions/',
  'postgresql://u:p@host/db',
  'a-plain-key',
])('%j is a value of its own', (value) => {
  expect(isSecretReference(value)).toBe(false);
  expect(secretVersionName(value)).toBeUndefined();
});
