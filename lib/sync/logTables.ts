import type { LoggedChange } from './history.ts';

type Row = Record<string, unknown>;
type Cell = string | number | null;

export interface Table {
  columns: string[];
  rows: Cell[][];
}

const runColumns = [
  'id',
  'sync_timestamp',
  'finished_at',
  'sync_type',
  'mode',
  'status',
  'members_fetched',
  'members_added',
  'members_updated',
  'members_reactivated',
  'members_removed',
  'members_verified',
  'members_suspended',
  'error_count',
  'duration_ms',
];
const detailColumns = ['caller', 'approved_by', 'undo'];

/** Runs, one a row, with who started and who approved them. */
export function runsTable(logs: Row[]): Table {
  return {
    columns: [...runColumns, ...detailColumns, 'error'],
    rows: logs.map((run) => {
      const details = (run['details'] ?? {}) as Row;
      const { code } = (details['error'] ?? {}) as Row;
      return [
        ...runColumns.map((column) => cell(run[column])),
        ...detailColumns.map((column) => cell(details[column])),
        cell(code),
      ];
    }),
  };
}

const changeColumns = [
  'changed_at',
  'run_id',
  'sync_type',
  'action',
  'external_id',
  'kennitala',
  'name',
] as const;
const deciders = ['caller', 'approved_by', 'undoes', 'undone_by'] as const;

/** Changes, one a row; what changed is one cell: `name: Old → New`. */
export function changesTable(changes: LoggedChange[]): Table {
  return {
    columns: [...changeColumns, 'changes', 'reason', ...deciders],
    rows: changes.map((change) => [
      ...changeColumns.map((column) => change[column]),
      change.fields.map((field) => describeField(change, field)).join('; '),
      change.reason,
      ...deciders.map((column) => change[column]),
    ]),
  };
}

function describeField({ before, after, action }: LoggedChange, field: string): string {
  const value = (values: Row) => String(values[field] ?? '–');
  if (action === 'add') return `${field}: ${value(after)}`;
  return `${field}: ${value(before)} → ${value(after)}`;
}

const cell = (value: unknown): Cell =>
  typeof value === 'number' ? value : typeof value === 'string' ? value : null;
