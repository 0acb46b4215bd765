/** The languages of the page. Icelandic is what a visitor gets who has not chosen. */
export type Language = 'is' | 'en';

const locales = { is: 'is-IS', en: 'en-GB' };
const zone = 'Atlantic/Reykjavik';

/** How a language writes numbers and times. Times are Iceland's. */
export interface Format {
  number(value: number): string;
  /** 26. nóv. 2026 */
  day(at: string | Date): string;
  /** 14:00 */
  time(at: string | Date): string;
  /** 26. nóv. 2026, 14:00 */
  moment(at: string | Date): string;
  /** 2026-11-26 14:00:00, as a spreadsheet reads it. */
  stamp(at: string | Date): string;
  /** nóvember 2026; the month as YYYY-MM. */
  month(yearMonth: string): string;
}

/** The numbers and times of a language. */
export function formatOf(language: Language): Format {
  const locale = locales[language];
  const write = (at: string | Date, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }).format(new Date(at));
  const clock = { hour: '2-digit', minute: '2-digit', hour12: false } as const;
  const date = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  const time = (at: string | Date) => write(at, clock);
  const day = (at: string | Date) => write(at, date);
  const numbers = new Intl.NumberFormat(locale);
  return {
    number: (value) => numbers.format(value),
    day,
    time,
    moment: (at) => `${day(at)}, ${time(at)}`,
    // Iceland's time is UTC all the year.
    stamp: (at) => new Date(at).toISOString().slice(0, 19).replace('T', ' '),
    month: (yearMonth) => write(`${yearMonth}-15T12:00:00Z`, { month: 'long', year: 'numeric' }),
  };
}

/** In Icelandic 1, 21, 31 … are singular, but 11 is not. */
export const isSingularIs = (count: number): boolean => count % 10 === 1 && count % 100 !== 11;

/** A sentence or a heading begins with a capital letter. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
