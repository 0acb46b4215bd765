import { problemWithPlacement } from '../../../lib/sync/staging.ts';

test.each([
  { is_worker: false, distributed: [] as string[], says: undefined },
  { is_worker: true, distributed: [], says: /coordinator/ },
  { is_worker: false, distributed: ['members'], says: /create_reference_table/ },
  { is_worker: false, distributed: ['members', 'sync_log'], says: /create_reference_table/ },
  { is_worker: false, distributed: ['sync_log'], says: /public\.sync_log must not/ },
  { is_worker: false, has_no_copy: true, distributed: [], says: /citus_set_coordinator_host/ },
])('$distributed, on a worker $is_worker: $says', ({ says, ...placement }) => {
  const problem = problemWithPlacement({ has_no_copy: false, ...placement });
  if (says === undefined) {
    expect(problem).toBeUndefined();
  } else expect(problem).toMatch(says);
});
