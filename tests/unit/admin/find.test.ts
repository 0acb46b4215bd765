import { whyNobody } from '../../../functions/admin/find.ts';
import { is } from '../../../functions/admin/words/is.ts';

test.each([
  ['', is.searchShort],
  ['þ', is.searchShort],
  ['7', is.nobody],
  ['Guðrún', is.nobody],
  ['080505', is.partKennitala],
  ['080505-', is.partKennitala],
  ['080505-123', is.partKennitala],
  ['080505123', is.partKennitala],
  // Made up, with the check digit and without.
  ['0101302989', is.noKennitala],
  ['010130-2999', `${is.noKennitala} ${is.checkKennitala}`],
])('%j finds nobody, and the page says why that may be', (whom, says) => {
  expect(whyNobody(is, whom)).toBe(says);
});
