import { quietFramework } from '../../../lib/http/serve.ts';
import { createLog } from '../../../lib/log.ts';

function quietedConsole() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('INFO', (line) => lines.push(JSON.parse(line)));
  const print = jest.fn();
  const target = { error: print };
  quietFramework(log, target);
  quietFramework(log, target);
  return { target, print, lines };
}

test('an error that a library prints is logged once, with its stack, redacted', () => {
  const { target, print, lines } = quietedConsole();
  target.error(new TypeError('of jon@example.is'));
  expect(lines).toEqual([
    expect.objectContaining({
      severity: 'ERROR',
      event: 'console_error',
      message: expect.stringMatching(/^TypeError: of \*\*\*@\*\*\*\n\s+at /),
    }),
  ]);
  expect(print).not.toHaveBeenCalled();
});

test('a body that does not parse is not in it', () => {
  const { target, lines } = quietedConsole();
  let thrown: unknown;
  try {
    JSON.parse('{"name": Jón}');
  } catch (error) {
    thrown = error;
  }
  target.error(Object.assign(thrown as Error, { statusCode: 400, body: '{"name": Jón}' }));
  expect(JSON.stringify(lines)).not.toContain('Jón');
});

test('what is no error is logged as text, redacted', () => {
  const { target, lines } = quietedConsole();
  target.error('Uncaught exception of %s', 'jon@example.is', { kennitala: '0101302989' });
  expect(lines).toEqual([
    expect.objectContaining({
      message: "Uncaught exception of ***@*** { kennitala: '******-****' }",
    }),
  ]);
});
