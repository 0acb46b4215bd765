import { routes } from '../../lib/http/request.ts';

export interface Invitation {
  url: string;
  /** The admin key, when we have made it up; a key of the user's is not printed. */
  key: string | undefined;
  /** The address of the database that is thrown away; undefined: the user's own. */
  database: string | undefined;
  /** Whether the register can be played with. */
  plays: boolean;
}

const auth = '-H "Authorization: Bearer $KEY"';

/** The lines to paste into another terminal, and what can be seen with them. */
export function invitation({ url, key, database, plays }: Invitation): string {
  const port = new URL(url).port;
  const run = `${port === '8080' ? '' : `PORT=${port} `}npm run play --`;
  return [
    'Paste these two lines into another terminal:',
    '',
    `  URL=${url}`,
    `  KEY=${key ?? '…'}${key ? '' : '    # the ADMIN_API_KEY that you have set'}`,
    '',
    ...(plays ? playing(run) : []),
    'What a sync would do, and doing it:',
    '',
    `  curl -X POST ${auth} $URL${routes.syncDryRun.path}`,
    `  curl -X POST ${auth} $URL${routes.syncScheduled.path}`,
    '',
    'How things are, what the last runs did, and (with psql) what is in the table:',
    '',
    `  curl ${auth} $URL${routes.syncStatus.path}`,
    `  curl ${auth} "$URL${routes.syncLogs.path}?limit=5"`,
    ...(database ? [`  psql '${database}' -c 'select * from members limit 5'`] : []),
    '',
    `The admin's page, which asks for KEY once: ${url}${routes.syncAdmin.path}`,
    '',
    'Serving until Ctrl-C.',
  ].join('\n');
}

// Nothing but commands: an interactive zsh would take a comment behind one for words of it.
function playing(run: string): string[] {
  return [
    'Make something happen in the register:',
    '',
    `  ${run} leave 3`,
    `  ${run} join`,
    `  ${run} change 1`,
    `  ${run} kennitala 2`,
    `  ${run} vanish`,
    '',
    `${run.replace(' --', '')} lists everything that can happen, and how to take it back.`,
    '',
  ];
}
