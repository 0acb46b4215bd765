import { EventEmitter } from 'node:events';
import { SyncError } from '../../../lib/errors.ts';
import { createShutdown } from '../../../lib/http/shutdown.ts';
import { createLog, type LogFields } from '../../../lib/log.ts';
import { until } from '../../support/until.ts';

function started({ graceMs = 50 } = {}) {
  const exit = jest.fn<void, [number]>();
  const host = Object.assign(new EventEmitter(), { exit });
  const frameworkHandler = jest.fn();
  for (const event of ['SIGTERM', 'SIGINT', 'unhandledRejection', 'uncaughtException']) {
    host.on(event, frameworkHandler);
  }
  const lines: LogFields[] = [];
  const log = createLog('NOTICE', (line) => lines.push(JSON.parse(line)));
  const shutdown = createShutdown(host as unknown as NodeJS.Process, { graceMs, log });
  return { host, exit, shutdown, frameworkHandler, lines };
}

test('before the first request the process ends as the framework ends it', () => {
  const { host, exit, frameworkHandler } = started();
  host.emit('SIGTERM');
  expect(frameworkHandler).toHaveBeenCalled();
  expect(exit).not.toHaveBeenCalled();
});

test('an idle instance exits at once', () => {
  const { host, exit, shutdown, frameworkHandler } = started();
  shutdown.enter()();
  host.emit('SIGTERM');
  expect(frameworkHandler).not.toHaveBeenCalled();
  expect(exit).toHaveBeenCalledWith(0);
});

test.each(['SIGTERM', 'SIGINT'])('%s tells requests to stop and waits for all of them', (name) => {
  const { host, exit, shutdown, lines } = started();
  const leaveFirst = shutdown.enter();
  const leaveSecond = shutdown.enter();
  host.emit(name);
  expect(shutdown.signal.reason).toBeInstanceOf(SyncError);
  expect(shutdown.signal.reason).toMatchObject({ code: 'interrupted' });
  leaveFirst();
  expect(exit).not.toHaveBeenCalled();
  leaveSecond();
  expect(exit).toHaveBeenCalledWith(0);
  expect(lines).toEqual([expect.objectContaining({ event: 'shutdown', requests_in_flight: 2 })]);
});

test('a request that does not end is not waited for beyond the grace time', async () => {
  const { host, exit, shutdown, lines } = started({ graceMs: 5 });
  shutdown.enter();
  host.emit('SIGTERM');
  await until(() => exit.mock.calls.length > 0);
  expect(exit).toHaveBeenCalledWith(0);
  expect(lines.at(-1)).toMatchObject({ severity: 'ERROR', event: 'shutdown_incomplete' });
});

test('a rejection that nobody handles is logged and does not end the process', () => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { host, exit, shutdown, frameworkHandler } = started();
  shutdown.enter();
  host.emit('unhandledRejection', new Error('floating'));
  expect(frameworkHandler).not.toHaveBeenCalled();
  expect(exit).not.toHaveBeenCalled();
  expect(write).toHaveBeenCalledWith(expect.stringContaining('"event":"unhandled_rejection"'));
  write.mockRestore();
});

test('an exception that nobody caught is logged without what it may not tell, and ends the process', () => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { host, exit, shutdown, frameworkHandler } = started();
  shutdown.enter();
  host.emit('uncaughtException', new Error('of jon@example.is'));
  expect(frameworkHandler).not.toHaveBeenCalled();
  expect(exit).toHaveBeenCalledWith(1);
  const line = JSON.parse(String(write.mock.calls[0]?.[0]));
  expect(line).toMatchObject({ severity: 'CRITICAL', event: 'uncaught_exception' });
  expect(line['message']).toMatch(/^Error: of \*\*\*@\*\*\*\n/);
  write.mockRestore();
});
