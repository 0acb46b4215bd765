import { type MockDjango, startMockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions } from '../../local/mockDjango/types.ts';
import { afterTests } from './cleanUp.ts';

/** A mock member register for this test file, stopped by itself after its last test. */
export async function startDjango(options: MockDjangoOptions = {}): Promise<MockDjango> {
  const mock = await startMockDjango(options);
  afterTests(mock.stop);
  return mock;
}
