import { quietFramework } from '../../../lib/http/quietFramework.ts';
import { createLog, type LogFields } from '../../../lib/log.ts';

function guardedConsole() {
  const print = jest.fn();
  const target = { error: print };
  const lines: LogFields[] = [];
  const log = createLog('DEBUG', (line) => lines.push(JSON.parse(line)));
  quietFramework(log, target);
  quietFramework(log, target);
  return { target, print, lines };
}

test('a request that the framework refused is told without its body', () => {
  const { target, print, lines } = guardedConsole();
  const error = Object.assign(new SyntaxError(`Unexpected token ''', "{'name': 'Jón'}"`), {
    statusCode: 400,
    body: "{'name': 'Jón'}",
    type: 'entity.parse.failed',
  });
  target.error(error);
  expect(print).not.toHaveBeenCalled();
  expect(lines).toEqual([
    expect.objectContaining({
      severity: 'WARNING',
      event: 'refused_by_framework',
      message: 'The framework answered 400: entity.parse.failed',
      status: 400,
    }),
  ]);
  expect(JSON.stringify(lines)).not.toContain('Jón');
});

test('one without a type is told by its name', () => {
  const { target, lines } = guardedConsole();
  target.error(Object.assign(new URIError("Failed to decode param '%zz'"), { statusCode: 400 }));
  expect(lines[0]).toMatchObject({ message: 'The framework answered 400: URIError' });
});

test('any other error is told with its stack, redacted', () => {
  const { target, lines } = guardedConsole();
  target.error('It broke:', new Error('of jon@example.is'));
  expect(lines).toEqual([
    expect.objectContaining({
      severity: 'ERROR',
      event: 'console_error',
      message: expect.stringMatching(/^Error: of \*\*\*@\*\*\*\n\s+at /),
    }),
  ]);
});

test('what is no error is printed, redacted', () => {
  const { target, print, lines } = guardedConsole();
  target.error('Uncaught exception of', 'jon@example.is', 7);
  expect(print).toHaveBeenCalledWith('Uncaught exception of', '***@***', 7);
  expect(lines).toEqual([]);
});
