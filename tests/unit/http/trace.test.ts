import { traceFields } from '../../../lib/log.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const fields = (span: string, sampled: boolean) => ({
  'logging.googleapis.com/trace': `projects/p/traces/${id}`,
  'logging.googleapis.com/spanId': span,
  'logging.googleapis.com/trace_sampled': sampled,
});

test.each([
  {
    name: 'traceparent as it stands',
    headers: { traceparent: `00-${id}-00f067aa0ba902b7-01` },
    expected: fields('00f067aa0ba902b7', true),
  },
  {
    name: 'traceparent that is not sampled',
    headers: { traceparent: `00-${id}-00f067aa0ba902b7-00` },
    expected: fields('00f067aa0ba902b7', false),
  },
  {
    name: 'the decimal span of the cloud header in the hexadecimal form',
    headers: { 'x-cloud-trace-context': `${id.toUpperCase()}/67667974448284343;o=1` },
    expected: fields('00f067aa0ba902b7', true),
  },
  {
    name: 'the cloud header without options',
    headers: { 'x-cloud-trace-context': `${id}/1` },
    expected: fields('0000000000000001', false),
  },
  {
    name: 'traceparent rather than the cloud header',
    headers: {
      traceparent: `00-${id}-00f067aa0ba902b7-01`,
      'x-cloud-trace-context': `${'1'.repeat(32)}/1;o=1`,
    },
    expected: fields('00f067aa0ba902b7', true),
  },
  {
    name: 'the cloud header when traceparent is malformed',
    headers: { traceparent: 'nonsense', 'x-cloud-trace-context': `${id}/1;o=0` },
    expected: fields('0000000000000001', false),
  },
  {
    name: 'nothing from a trace of zeros',
    headers: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
    expected: {},
  },
  { name: 'nothing without headers', headers: {}, expected: {} },
])('a log line gets $name', ({ headers, expected }) => {
  expect(traceFields(headers, 'p')).toEqual(expected);
});

test('without a project there is no trace to name', () => {
  expect(traceFields({ traceparent: `00-${id}-00f067aa0ba902b7-01` }, '')).toEqual({});
});
