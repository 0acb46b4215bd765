import { type MockDjango, startMockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions } from '../../local/mockDjango/types.ts';

const open = new Set<MockDjango>();
afterAll(async () => {
  await Promise.all([...open].map((mock) => mock.stop()));
});

/** A mock member register for this test file, stopped by itself after its last test. */
export async function startDjango(options: MockDjangoOptions = {}): Promise<MockDjango> {
  const mock = await startMockDjango(options);
  open.add(mock);
  return mock;
}
