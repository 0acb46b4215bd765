/** What syncStatus says of the run that goes on. */
export interface Progress {
  phase?: string | null;
  pages_done?: number | null;
  pages_total?: number | null;
  members_fetched?: number | null;
}

/** Shows the progress of a sync. A terminal gets one line that is written over, a file a line for each change. */
export function progressLine(out: NodeJS.WriteStream = process.stdout) {
  let last = '';
  return {
    show: (progress: Progress) => {
      const text = describe(progress);
      if (text === last) return;
      last = text;
      out.write(out.isTTY ? `\r\x1b[K  ${text}` : `  ${text}\n`);
    },
    end: () => {
      if (out.isTTY && last) out.write('\r\x1b[K');
    },
  };
}

function describe({ phase, pages_done, pages_total, members_fetched }: Progress): string {
  const pages = pages_total
    ? `page ${pages_done ?? 0} of ${pages_total}`
    : `page ${pages_done ?? 0}`;
  return `${phase ?? 'starting'}: ${pages}, ${members_fetched ?? 0} members`;
}
