import { loadEnvFile, portFrom } from './start/environment.ts';
import type { PlayAnswer } from './start/play.ts';

// `npm run play -- leave 3`: changes the made-up register of the `npm start` that runs on this machine.

const look = `

See what a sync would do, then do it:

  curl -X POST -H "Authorization: Bearer $KEY" $URL/sync/dry-run
  curl -X POST -H "Authorization: Bearer $KEY" $URL/sync`;

async function play(words: string[]): Promise<string> {
  loadEnvFile();
  const port = portFrom(process.env);
  const response = await fetch(`http://127.0.0.1:${port}/play`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ words: words.filter((word) => word !== '--help' && word !== '-h') }),
  }).catch((cause) => {
    const advice = `In another terminal: npm start (at another port: PORT=9000 npm run play)`;
    throw new Error(`Nothing runs at port ${port}. ${advice}`, { cause });
  });
  const answer = (await response.json().catch(() => ({}))) as Partial<PlayAnswer> & {
    error?: { message: string };
  };
  if (answer.error) throw new Error(answer.error.message);
  if (answer.text === undefined) throw new Error(`Port ${port} is not that of an npm start`);
  return answer.text + (answer.played ? look : '');
}

try {
  console.log(await play(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
