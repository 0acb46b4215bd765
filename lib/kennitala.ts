const tenDigits = /^[0-9]{10}$/;

/**
 * The ten digits of a kennitala, its hyphen and spaces removed, or undefined when the value is no
 * kennitala. Only strings count: a number of JSON has lost the leading zero of a birth on the first nine
 * days of a month. The check digit is not tested, because numbers issued since 18 February 2026 have none
 * (skra.is). Neither is the date: numbers with impossible dates are in use.
 */
export function normaliseKennitala(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (tenDigits.test(value)) return value;
  const digits = value.replace(/[\s\u2010-\u2015-]/g, '');
  return tenDigits.test(digits) ? digits : undefined;
}

/** The one masked form in every answer: `DDMMYY-****`. */
export function maskKennitala(kennitala: string): string {
  return `${kennitala.slice(0, 6)}-****`;
}

// The check digit, the ninth of ten, is that of the eight before it (skra.is).
const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2, 1];

/**
 * Whether a value looks like a kennitala and has its check digit and its century as well, as one in five hundred
 * numbers of ten digits has by chance. Those issued since 18 February 2026 need no check digit (skra.is).
 */
export function hasCheckDigit(value: string): boolean {
  if (!looksLikeKennitala(value) || !/[089]$/.test(value)) return false;
  const digits = normaliseKennitala(value) ?? '';
  return WEIGHTS.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0) % 11 === 0;
}

/**
 * Whether a value is most likely a kennitala: ten digits that begin with a day and a month. The day of a
 * company is 40 more. This is for what a person types; a register's own word for a number is not doubted.
 */
export function looksLikeKennitala(value: unknown): boolean {
  return /^([04][1-9]|[1256][0-9]|[37][01])(0[1-9]|1[0-2])/.test(normaliseKennitala(value) ?? '');
}
