import type { MockDjango } from '../mockDjango/startMockDjango.ts';
import type { Answerer } from './gateway.ts';
import { createPlays, type Play } from './plays.ts';

/** What `npm run play` sends to the running `npm start`: its own words. */
export interface PlayRequest {
  words: string[];
}

/** What it prints: what was played, or all that can be played when it was asked for nothing. */
export interface PlayAnswer {
  text: string;
  played: boolean;
}

/** Answers `npm run play` by changing that register. */
export function playAnswerer(mock: MockDjango): Answerer {
  const plays = createPlays(mock);
  return (body): PlayAnswer => {
    const [verb, ...words] = (body as PlayRequest).words;
    if (verb === undefined || verb === 'help') return { text: listOf(plays), played: false };
    const play = Object.hasOwn(plays, verb) ? plays[verb] : undefined;
    if (!play) throw new Error(`There is no such thing to play, but:\n${listOf(plays)}`);
    if (words.length > play.atMost) {
      throw new Error(`That is more than it takes: npm run play -- ${play.usage}`);
    }
    return { text: play.run(words), played: true };
  };
}

/** Answers `npm run play` when the register is the user's own. */
export function playRefusal(register: string): Answerer {
  return () => {
    throw new Error(
      `The register at ${register} is a real one. Only made-up members can be played with.`,
    );
  };
}

function listOf(plays: Record<string, Play>): string {
  return Object.values(plays)
    .map(({ usage, explains }) => `  npm run play -- ${usage.padEnd(30)}${explains}`)
    .join('\n');
}
