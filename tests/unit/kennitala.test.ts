import {
  hasCheckDigit,
  looksLikeKennitala,
  maskKennitala,
  normaliseKennitala,
} from '../../lib/kennitala.ts';

test.each([
  ['0000000007', '0000000007'],
  ['000000-0007', '0000000007'],
  [' 000000 0007\n', '0000000007'],
  ['000000\u20130007', '0000000007'],
  ['000000\u20110007', '0000000007'],
  ['\u00a0000000\u00a00007', '0000000007'],
])('%j is the kennitala %s', (value, expected) => {
  expect(normaliseKennitala(value)).toBe(expected);
});

test.each([
  ['a day that does not exist', '3102690009'],
  ['a check digit that does not match', '0000000001'],
  ['the form planned for people without residence', '8923501739'],
])('%s is accepted: such numbers are in use', (_, value) => {
  expect(normaliseKennitala(value)).toBe(value);
});

test.each([
  ['a number, which has lost its leading zeros', 1203456789],
  ['nine digits', '123456789'],
  ['eleven digits', '12345678901'],
  ['letters', '12034567x9'],
  ['other digits than 0 to 9', '١٢٣٤٥٦٧٨٩٠'],
  ['a NUL character inside', '000000\x000007'],
  ['nothing', ''],
  ['null', null],
  ['undefined', undefined],
  ['an array', ['0000000007']],
])('%s is no kennitala', (_, value) => {
  expect(normaliseKennitala(value)).toBeUndefined();
});

test('the mask keeps the date of birth and nothing else', () => {
  expect(maskKennitala('0000000007')).toBe('000000-****');
});

test.each([
  ['0101302989', true],
  ['0101302999', false],
  ['0101302987', false],
  ['1001000123', false],
  ['17', false],
])('%s has the check digit of a kennitala: %s', (value, expected) => {
  expect(hasCheckDigit(value)).toBe(expected);
});

test.each([
  ['0101302989', true],
  ['311299-2989', true],
  ['7112992989', true],
  ['4101302989', true],
  ['0001302989', false],
  ['3201302989', false],
  ['0113302989', false],
  ['1000000000', false],
  ['101302989', false],
  ['17', false],
  [undefined, false],
])('%s looks like a kennitala: %s', (value, expected) => {
  expect(looksLikeKennitala(value)).toBe(expected);
});
