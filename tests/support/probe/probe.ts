import { http } from '@google-cloud/functions-framework';
import * as z from 'zod/mini';
import { endpoint } from '../../../lib/http/endpoint.ts';

// A function that misbehaves when asked to, for tests of what the platform and we make of it.

let rejectOutside = false;
setInterval(() => {
  // No request is the cause of this one.
  if (rejectOutside) Promise.reject(new Error('floating outside'));
  rejectOutside = false;
}, 5).unref();

const behaviours = {
  echo: async () => {},
  throw: async () => {
    throw new TypeError('secret detail');
  },
  rejectLater: async () => {
    setTimeout(() => Promise.reject(new Error('floating inside')));
  },
  throwLater: () => {
    setTimeout(() => {
      throw new Error('of jon@example.is');
    });
    return new Promise<void>(() => {});
  },
  rejectOutside: async () => {
    rejectOutside = true;
  },
  hang: () => new Promise<void>(() => {}),
  // Does what a run does: works until it is told to stop, then takes a moment to roll back.
  run: async (signal: AbortSignal) => {
    await new Promise((resolve) => {
      signal.addEventListener('abort', () => setTimeout(resolve, 300));
    });
    signal.throwIfAborted();
  },
};
const names = Object.keys(behaviours) as (keyof typeof behaviours)[];

http(
  'probe',
  endpoint({
    name: 'probe',
    path: '/probe',
    methods: ['GET', 'POST'],
    needs: ['database'],
    parameters: z.strictObject({ do: z._default(z.enum(names), 'echo') }),
    answer: async ({ parameters, log, signal, caller, secrets }) => {
      log('INFO', 'request', 'Behaving', { behaviour: parameters.do });
      await behaviours[parameters.do](signal);
      return { body: { caller, url: await secrets.DATABASE_URL.get() } };
    },
  }),
);
