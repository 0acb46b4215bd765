import { readdir, readFile } from 'node:fs/promises';

// proc(5). Times of a whole process are in ticks of 10 ms on Linux.
const TICK_MS = 10;

/** CPU time that a process has used so far, in ms, exact to the microsecond (schedstat of each of its threads). */
export async function cpuMs(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0');
    nanoseconds += Number(text.split(' ')[0]);
  }
  return nanoseconds / 1e6;
}

/** CPU time of a PostgreSQL so far, in ms: its processes of now, and those that have ended. */
export async function serverCpuMs(postmaster: number): Promise<number> {
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  const [own, ...others] = await Promise.all(
    [postmaster, ...children.trim().split(' ').map(Number)].map(ticks),
  );
  const living = others.reduce((sum, { self }) => sum + self, 0);
  return ((own?.self ?? 0) + (own?.ended ?? 0) + living) * TICK_MS;
}

async function ticks(pid: number): Promise<{ self: number; ended: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const sum = (first: number) => Number(fields[first] ?? 0) + Number(fields[first + 1] ?? 0);
  return { self: sum(11), ended: sum(13) };
}

/** The most memory that a process ever held, in MiB (VmHWM). */
export async function peakMemoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

export const mean = (values: number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
