export type Severity = 'DEBUG' | 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR' | 'CRITICAL';
export type LogFields = Record<string, unknown>;

/** Writes one event. Fields must not hold personal data: name a member by its Django id only. */
export interface Log {
  (severity: Severity, event: string, message: string, fields?: LogFields): void;
  /** The same log with these fields on every event. */
  with(fields: LogFields): Log;
}

const order: Severity[] = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'];

/**
 * A log that writes one JSON object per line, as Cloud Logging reads it (severity, message and
 * time are its special keys). Each line is one write: the functions framework turns two objects
 * written together into plain text.
 */
export function createLog(
  level: Severity,
  write: (line: string) => void = (line) => process.stdout.write(line),
  common: LogFields = {},
): Log {
  const log = (severity: Severity, event: string, message: string, fields: LogFields = {}) => {
    if (order.indexOf(severity) < order.indexOf(level)) return;
    const entry = {
      severity,
      message,
      event,
      time: new Date().toISOString(),
      ...common,
      ...fields,
    };
    write(`${JSON.stringify(entry)}\n`);
  };
  return Object.assign(log, {
    with: (more: LogFields) => createLog(level, write, { ...common, ...more }),
  });
}
