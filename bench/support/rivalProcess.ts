import { rivals } from '../contenders/rivals.ts';

// A rival in a process of its own: it syncs whenever the parent says so. Run as: rivalProcess.ts NAME DATABASE
// REGISTER
const [name, databaseUrl = '', register = ''] = process.argv.slice(2);
const rival = rivals.find((each) => each.name === name);
process.on('message', async () => {
  const error = await rival?.sync(databaseUrl, register).catch((thrown: Error) => thrown);
  process.send?.(error instanceof Error ? (error.stack ?? error.message) : 'done');
});
process.once('disconnect', () => process.exit(0));
