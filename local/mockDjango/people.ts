import { fathers, men, mothers, women } from './names.ts';

/** A record of the register, with the fields of Django's serializer. */
export interface MemberRecord extends Record<string, unknown> {
  id: number;
  kennitala: string;
  name: string;
  email: string | null;
  phone: string | null;
  is_active: boolean;
  deleted_at: string | null;
  date_joined: string;
  updated_at: string;
}

const FIRST_BIRTH = Date.UTC(1932, 0, 1);
const LAST_BIRTH = Date.UTC(2008, 11, 31);
const FIRST_JOINED = Date.UTC(2013, 0, 1);
const LAST_JOINED = Date.UTC(2025, 11, 31);

/**
 * Made-up Icelanders, always the same for the same seed. Their check digit is wrong, which no kennitala was
 * before 18 February 2026. Those given out since have serial digits from 20 on as a rule; these lie below.
 * E-mail addresses are in the reserved domain `.example`, and no phone number of Iceland starts with 0.
 */
export function generatePeople(count: number, seed = 1): MemberRecord[] {
  const random = randomNumbers(seed);
  const taken = new Set<string>();
  return Array.from({ length: count }, (_, index) => {
    let kennitala = madeUpKennitala(random);
    while (taken.has(kennitala)) kennitala = madeUpKennitala(random);
    taken.add(kennitala);
    const name = madeUpName(random);
    const joined = timestamp(between(random, FIRST_JOINED, LAST_JOINED));
    return {
      id: index + 1,
      kennitala,
      name,
      email: random() < 0.05 ? null : `${asciiOf(name)}.${index + 1}@felagi.example`,
      phone:
        random() < 0.1 ? null : `+354 0${between(random, 10, 99)} ${between(random, 1000, 9999)}`,
      is_active: true,
      deleted_at: null,
      date_joined: joined,
      updated_at: joined,
    };
  });
}

/** The way Django writes a time: microseconds, of which JavaScript knows the first three digits. */
export function timestamp(time: number | Date): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}

function madeUpKennitala(random: () => number): string {
  const [year = '', month, day] = new Date(between(random, FIRST_BIRTH, LAST_BIRTH))
    .toISOString()
    .slice(0, 10)
    .split('-');
  const serial = String(between(random, 0, 19)).padStart(2, '0');
  const start = `${day}${month}${year.slice(2)}${serial}`;
  const wrong = (checkDigit(start) + between(random, 1, 9)) % 10;
  return `${start}${wrong}${year < '2000' ? 9 : 0}`;
}

// As it was computed until February 2026; 10 means that the number was never given out.
function checkDigit(start: string): number {
  const weights = [3, 2, 7, 6, 5, 4, 3, 2];
  const sum = weights.reduce((total, weight, index) => total + weight * Number(start[index]), 0);
  return (11 - (sum % 11)) % 11;
}

function madeUpName(random: () => number): string {
  const woman = random() < 0.5;
  const given = woman ? women : men;
  const first = pick(random, given);
  const second = pick(random, given);
  const parent = pick(random, random() < 0.1 ? mothers : fathers);
  const last = `${parent}${woman ? 'dóttir' : 'son'}`;
  return random() < 0.4 && first !== second ? `${first} ${second} ${last}` : `${first} ${last}`;
}

function asciiOf(name: string): string {
  const letters: Record<string, string> = { þ: 'th', ð: 'd', æ: 'ae' };
  return name
    .toLowerCase()
    .replace(/[þðæ]/g, (letter) => letters[letter] ?? letter)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replaceAll(' ', '.');
}

function pick(random: () => number, list: readonly string[]): string {
  return list[Math.floor(random() * list.length)] ?? '';
}

function between(random: () => number, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

// mulberry32: small, even enough, and the same on every machine, which Math.random is not.
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
