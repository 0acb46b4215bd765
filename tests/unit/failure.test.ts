import { toSyncError } from '../../lib/databaseErrors.ts';
import { type ErrorCode, SyncError, statusOf } from '../../lib/errors.ts';
import { errorBody } from '../../lib/http/answer.ts';

const running = new AbortController().signal;

test.each(Object.keys(statusOf))('%s stays what it is', (code) => {
  expect(toSyncError(new SyncError(code as ErrorCode, 'm'), running).code).toBe(code);
});

test('a bug tells nothing to the caller', () => {
  const bug = new TypeError('secret detail');
  const error = toSyncError(bug, running);
  expect(error.code).toBe('internal_error');
  expect(JSON.stringify(errorBody(error))).not.toContain('secret');
  expect(error.cause).toBe(bug);
});

test('an internal error of ours keeps its run', () => {
  const error = toSyncError(new SyncError('internal_error', 'detail', { runId: 3 }), running);
  expect(errorBody(error)).toMatchObject({ error: { code: 'internal_error', run_id: 3 } });
  expect(error.message).not.toContain('detail');
});

test('a connection error of the driver is the absence of the database', () => {
  expect(toSyncError(new Error('Connection terminated unexpectedly'), running).code).toBe(
    'database_unavailable',
  );
});

test('what a library throws after it was told to stop is that stop', () => {
  const reason = new SyncError('deadline_exceeded', 'too late');
  expect(toSyncError(new Error('canceled'), AbortSignal.abort(reason))).toMatchObject({
    code: 'deadline_exceeded',
    message: 'too late',
  });
});

test('what we throw ourselves after that stays what it is', () => {
  const signal = AbortSignal.abort(new SyncError('interrupted', 'm'));
  const error = new SyncError('interrupted', 'rolled back', { runId: 9 });
  expect(toSyncError(error, signal)).toBe(error);
});
