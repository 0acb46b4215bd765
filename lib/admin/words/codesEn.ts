import type { Codes } from './codesIs.ts';
import { formatOf } from './format.ts';

const { number } = formatOf('en');
const count = (n: number, one: string, more: string) => `${number(n)} ${n === 1 ? one : more}`;

/** Words for the codes that the functions answer with. */
export const codesEn: Codes = {
  reasons: {
    held: (n) => `${count(n, 'change waits', 'changes wait')} for an approval`,
    undone: (n) =>
      `${count(n, 'change was', 'changes were')} taken back, so the voters’ table differs from the register`,
    records_set_aside: (n) =>
      `${count(n, 'record of the register is', 'records of the register are')} unreadable`,
    removals_unconfirmed: (n) =>
      `${count(n, 'member is', 'members are')} gone from the list, but the register does not confirm it`,
    inactive_here: (n) =>
      `${count(n, 'member is', 'members are')} inactive here because somebody else decided so`,
    unseen_members: (n) =>
      `${count(n, 'voter was', 'voters were')} not seen by the last complete full sync`,
    notifications_dead: (n) =>
      `${count(n, 'notification was', 'notifications were')} never delivered`,
    never_synced: () => 'there was no complete full sync yet',
    full_run_too_old: () => 'the last complete full sync is too old',
    running: () => 'a sync is running',
    failing: () => 'the last sync failed',
    notifications_pending: (n) =>
      `${count(n, 'notification has', 'notifications have')} not been delivered yet`,
  },
  todo: {
    held: 'Look at the changes and approve them, or have the register corrected.',
    undone: 'Have the register corrected, or look at the changes and approve them.',
    records_set_aside: 'Correct the record in Django. The member stays as they are until then.',
    removals_unconfirmed: 'Look at the member in Django. They keep their vote until it is clear.',
    inactive_here: 'Make the member active if they should have a vote.',
    unseen_members: 'The other points usually explain it. Then run a full sync.',
    notifications_dead: 'Have the receiving system read the voters’ table once.',
    suspended: 'Somebody made the member inactive here. Make them active if that is over.',
  },
  heldReasons: {
    limit_exceeded: 'more than the limit allows',
    window_limit_exceeded: 'more than the limit allows in one day',
    snapshot_empty: 'the register said that it has no members',
    snapshot_incomplete: 'the register changed while it was read',
    unidentified_record: 'a record is so unreadable that nobody knows whose it is',
    undone: 'was taken back before',
    blocked: 'waits for another change',
  },
  changeReasons: {},
  fields: {
    name: 'name',
    kennitala: 'kennitala',
    email: 'e-mail',
    phone: 'phone',
    external_id: 'number',
    is_active: 'active',
    removed_at: 'left',
  },
  why: {
    active: 'seen in the register',
    other_source: 'comes from another system, and no sync touches them',
    left: 'no longer in the register',
    suspended: 'made inactive here, by a person or another system',
    inactive_here: 'was inactive here before the register’s member was known',
    set_aside: 'the record in the register is unreadable, so they stay as they are',
    removal_unconfirmed: 'not in the list, but the register does not confirm that they left',
    held: 'a change waits for an approval',
    undone: 'a change was taken back',
    unknown: 'not here',
  },
  recordErrors: {
    invalid_record: 'the record has the wrong form',
    invalid_id: 'the number is missing or wrong',
    invalid_kennitala: 'the kennitala is missing or wrong',
    invalid_name: 'the name is missing or wrong',
    invalid_is_active: 'it is unclear whether this is a member',
    invalid_deleted_at: 'it is unclear when the member left',
    invalid_encoding: 'the record has unreadable characters',
    just_changed: 'a newer answer about the member stands until the next sync',
    stale_reply: 'the register’s answer was too old',
    duplicate_record: 'the record came more than once',
    duplicate_kennitala: 'another record has the same kennitala',
    another_record: 'the register answered with another member',
    removal_unconfirmed: 'the register does not confirm that the member left',
    inactive_here: 'the member was inactive here already',
    unknown_id: 'the register does not know this number',
    undo_conflict: 'the member has changed since',
  },
  runTypes: {
    membership: 'Scheduled sync',
    manual: 'Sync from this page',
    webhook: 'Single members',
    undo: 'Taking back',
  },
  runStatus: {
    success: 'Done',
    partial: 'Done, but some was unreadable',
    held: 'Some waits for an approval',
    failed: 'Failed, nothing changed',
    refused: 'Refused, nothing changed',
    pending: 'Running',
  },
  actions: {
    add: 'Joined the voters',
    update: 'Changed',
    reactivate: 'Came back to the voters',
    remove: 'Left the voters',
  },
  phases: {
    starting: 'beginning',
    fetch: 'reading the register',
    plan: 'comparing',
    confirm: 'asking the register about those who leave',
    apply: 'writing the changes',
  },
  errors: {
    sync_in_progress: 'Another sync is running. Wait until it ends.',
    plan_changed: 'The changes are no longer the same.',
    django_unreachable: 'The register could not be reached.',
    django_unauthorized: 'The register refused our key.',
    django_rate_limited: 'The register asks us to slow down.',
    django_invalid_response: 'What the register answered is no list of members.',
    django_error: 'The register had an error.',
    database_unavailable: 'The database could not be reached.',
    secrets_unavailable: 'A key could not be read.',
    interrupted: 'The run was stopped.',
    abandoned: 'The run broke off.',
    deadline_exceeded: 'The run took too long.',
    not_found: 'There is no such thing, or it is no longer kept.',
    invalid_request: 'The request was not valid.',
    forbidden: 'The page may not do this.',
    unauthorized: 'The page could not reach the sync.',
    internal_error: 'Something unexpected went wrong. It is in the log.',
    skipped: 'The sync is switched off.',
  },
};
