import type { Member } from '../django/types.ts';

/**
 * More than one line can be: three texts of 255 characters, a phone of 20 and ten digits, a character
 * taking four bytes at most, and what stands between them.
 */
const LONGEST_LINE = 4096;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 92;
// What COPY's text format writes after a backslash (PostgreSQL manual, "COPY", File Formats).
const escapes = new Map([
  [TAB, 't'.charCodeAt(0)],
  [NEWLINE, 'n'.charCodeAt(0)],
  [RETURN, 'r'.charCodeAt(0)],
  [BACKSLASH, BACKSLASH],
]);

/**
 * Gathers lines of COPY text for `incoming`, with the columns in the order of copy_incoming.sql, in one
 * buffer that is used again and again: a line leaves no garbage behind, where strings leave ten times its
 * bytes.
 */
export class CopyLines {
  #bytes = Buffer.allocUnsafeSlow(16 * LONGEST_LINE);
  #length = 0;

  /** Bytes of all lines since the last `take`. */
  get size(): number {
    return this.#length;
  }

  /** Gives the bytes of all lines since the last time. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(taken, 0, 0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Adds the line of a member. */
  add(ordinal: number, member: Member): void {
    this.#makeRoom();
    const { externalId, kennitala, name, email, phone, isMember } = member;
    this.#text(String(ordinal));
    this.#field(externalId);
    this.#field(kennitala);
    this.#field(name);
    this.#flag(email !== undefined);
    this.#field(email);
    this.#flag(phone !== undefined);
    this.#field(phone);
    this.#flag(isMember);
    this.#end();
  }

  /** Adds the line of someone of whom the register says that there is none: no kennitala, no member. */
  addGone(ordinal: number, externalId: string): void {
    this.#makeRoom();
    this.#text(String(ordinal));
    this.#field(externalId);
    this.#text('\t\\N\t\\N\tf\t\\N\tf\t\\N\tf');
    this.#end();
  }

  #makeRoom(): void {
    const bytes = this.#bytes;
    if (this.#length + LONGEST_LINE <= bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(2 * bytes.length);
    bytes.copy(this.#bytes);
  }

  #field(value: string | null | undefined): void {
    if (value === null || value === undefined) {
      this.#text('\t\\N');
    } else {
      this.#bytes[this.#length++] = TAB;
      this.#escaped(value);
    }
  }

  #flag(value: boolean): void {
    this.#text(value ? '\tt' : '\tf');
  }

  #end(): void {
    this.#bytes[this.#length++] = NEWLINE;
    // Bytes behind the end of a buffer go nowhere without a word.
    if (this.#length > this.#bytes.length) throw new RangeError('a line of COPY text is too long');
  }

  #text(ascii: string): void {
    const bytes = this.#bytes;
    let end = this.#length;
    for (let index = 0; index < ascii.length; index++) bytes[end++] = ascii.charCodeAt(index);
    this.#length = end;
  }

  // UTF-8 (RFC 3629) by hand: a native encoder costs more to call than a name has bytes.
  #escaped(text: string): void {
    const bytes = this.#bytes;
    let end = this.#length;
    for (let index = 0; index < text.length; index++) {
      let code = text.charCodeAt(index);
      if (code < 0x80) {
        if (code === BACKSLASH || code < 14) {
          const letter = escapes.get(code);
          if (letter !== undefined) {
            bytes[end++] = BACKSLASH;
            code = letter;
          }
        }
        bytes[end++] = code;
      } else if (code < 0x800) {
        bytes[end++] = 0xc0 | (code >> 6);
        bytes[end++] = 0x80 | (code & 0x3f);
      } else {
        if (code >= 0xd800 && code < 0xdc00) {
          code = text.codePointAt(index) ?? code;
          index += 1;
          bytes[end++] = 0xf0 | (code >> 18);
          bytes[end++] = 0x80 | ((code >> 12) & 0x3f);
        } else bytes[end++] = 0xe0 | (code >> 12);
        bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[end++] = 0x80 | (code & 0x3f);
      }
    }
    this.#length = end;
  }
}
