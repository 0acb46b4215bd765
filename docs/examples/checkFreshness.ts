interface Options {
  /** The URL of the function syncStatus. */
  statusUrl: string;
  /** The Authorization header of the call. */
  authorization: string;
  /** How long ago the last complete full run may have begun. */
  withinMinutes: number;
}

interface Status {
  election: { may_open: boolean; reasons: { code: string; message: string }[] };
}

/** Why an election may not open now, in words for a person; empty when it may. */
export async function reasonsNotToOpen(options: Options): Promise<string[]> {
  const { statusUrl, authorization, withinMinutes } = options;
  const url = new URL(statusUrl);
  url.searchParams.set('within_minutes', String(withinMinutes));
  const response = await fetch(url, {
    headers: { authorization },
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) return [`syncStatus answered ${response.status}`];
  const { election } = (await response.json()) as Status;
  if (election.may_open) return [];
  return election.reasons.map(({ code, message }) => `${code}: ${message}`);
}
