/** What the system refuses, without its shorthand and its stack. Every other error of ours is a sentence already. */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return `The disk is full${path ? `: ${path}` : ''}.`;
  if (path && (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')) {
    return `You may not write ${path}. Clone the project into a folder of your own, and start it there.`;
  }
  return message;
}
