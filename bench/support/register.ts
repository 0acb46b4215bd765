import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface BenchRegister {
  url: string;
  /** Gives 1 % of the members another name; every round another one. */
  changeOnePercent(): Promise<void>;
  stop(): void;
}

/** Starts a register of that many members in a process of its own. */
export async function startRegister(
  members: number,
  { pageSize = 500, latencyMs = 0 } = {},
): Promise<BenchRegister> {
  const arguments_ = [members, pageSize, latencyMs].map(String);
  const child = fork(join(import.meta.dirname, 'registerServer.ts'), arguments_);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const url = `http://127.0.0.1:${port}`;
  let round = 0;
  return {
    url,
    changeOnePercent: async () => {
      round += 1;
      await (await fetch(`${url}/?round=${round}`)).text();
    },
    stop: () => child.disconnect(),
  };
}
