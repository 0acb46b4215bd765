/** The languages of spreadsheets that we write for: one takes a comma for the decimals. */
export type Language = 'is' | 'en';

type Cell = string | number | boolean | null | undefined;

// A spreadsheet takes these as the beginning of a formula, the wide forms too.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/**
 * A table as a file that a spreadsheet opens by a double click: with a byte order mark, because Excel
 * takes UTF-8 for something else without it, and the separator of the language. A text that would be a
 * formula gets an apostrophe in front.
 */
export function toCsv(columns: string[], rows: Cell[][], language: Language): string {
  const separator = language === 'is' ? ';' : ',';
  const lines = [columns, ...rows].map((cells) => cells.map(cellOf).join(separator));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}

function cellOf(value: Cell): string {
  const text = String(value ?? '');
  const harmless = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",;\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
