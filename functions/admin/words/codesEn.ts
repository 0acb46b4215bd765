import type { Codes } from './codesIs.ts';
import { formatOf } from './format.ts';

const { number } = formatOf('en');
const count = (n: number, one: string, more: string) => `${number(n)} ${n === 1 ? one : more}`;

/** Words for the codes that the functions answer with. */
export const codesEn: Codes = {
  reasons: {
    lock_held: () => 'another system is in the way of the sync, so it cannot begin',
    run_missing: () => 'a sync was due and has not begun',
    changes_refused: (n) =>
      `${count(n, 'change', 'changes')} could not be written to the voters’ table`,
    held: (n) => `${count(n, 'change waits', 'changes wait')} for an approval`,
    unread: () => 'the register could not be read whole, so it is not known who has left',
    undone: (n) =>
      `${count(n, 'change was', 'changes were')} taken back, so the voters’ table differs from the register`,
    records_set_aside: (n) =>
      `${count(n, 'record of the register is', 'records of the register are')} unusable`,
    removals_unconfirmed: (n) =>
      `${count(n, 'member is', 'members are')} gone from the list, but the register does not confirm it`,
    inactive_here: (n) =>
      `${count(n, 'member is', 'members are')} inactive here because somebody else decided so`,
    unseen_members: (n) =>
      `${count(n, 'voter was', 'voters were')} not seen by the last complete full sync`,
    notifications_dead: (n) =>
      `${count(n, 'notification was', 'notifications were')} never delivered`,
    never_synced: () => 'there was no complete full sync yet',
    full_run_too_old: () => 'it is too long since a full sync went through completely',
    running: () => 'a sync is running',
    failing: () => 'the last sync failed',
    notifications_pending: (n) =>
      `${count(n, 'notification has', 'notifications have')} not been delivered yet`,
  },
  todo: {
    lock_held: 'Inform the operator.',
    run_missing: 'Press “Sync now”. Inform the operator if it happens again.',
    changes_refused:
      'Open the run, which says why. If it says so again after a full sync, inform the operator.',
    held: 'Look at the changes and approve them, or have the register corrected.',
    unread:
      'Run a full sync. If that does not help, look at the members that are listed, or inform the operator.',
    undone: 'Have the register corrected, or look at the changes and approve them.',
    records_set_aside:
      'Look why, and have it corrected in the register. The vote stays as it is until then.',
    removals_unconfirmed:
      'Look at the member in the register. The vote stays as it is until this is clear.',
    inactive_here: 'Open the member here, and make them active if they should have a vote.',
    unseen_members: 'The other points usually explain it. Then run a full sync.',
    notifications_dead: 'Have the receiving system read the voters’ table once.',
    suspended:
      'Somebody made the member inactive here. Open the member and make them active if that is over.',
  },
  todoOf: {
    duplicate_kennitala: 'Merge the records in the register.',
    duplicate_record: 'Inform the operator.',
  },
  heldReasons: {
    limit_exceeded: 'more than the limit allows',
    window_limit_exceeded:
      'more than the limit allows in one day, with those that were made already',
    snapshot_empty: 'the register said that it has no members',
    snapshot_incomplete: 'the register could not be read whole',
    unidentified_record: 'a record is so unreadable that nobody knows whose it is',
    undone: 'was taken back before',
    blocked: 'waits for another change',
  },
  changeReasons: {
    'Django says 404': 'the register finds nobody with this number',
    'Django says inactive': 'the register has them as inactive',
    "Django's own page of the member says that this is no member":
      'the member’s own page in the register says that this is no member',
  },
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
    other_source: 'the entry comes from another system',
    left: 'no longer in the register',
    suspended: 'made inactive here, by a person or another system',
    inactive_here: 'was inactive here before the register had this number',
    set_aside: 'the record in the register is unusable, so nothing changes',
    removal_unconfirmed: 'not in the list, but it is not confirmed that they left',
    held: 'a change waits for an approval',
    undone: 'a change was taken back',
    unseen_members: 'not seen by the last complete full sync',
    unknown: 'nobody here has this number',
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
    reactivation_unconfirmed: 'in the list again, but the member’s own page does not confirm it',
    change_refused: 'the database refused the change',
    change_waits: 'waits for a change of another member with the same kennitala',
    row_locked: 'another system held the member, and the next sync tries again',
    plan_outdated: 'another system changed the member, and the next sync tries again',
    value_rewritten: 'another system stores another value than the register’s',
  },
  runTypes: {
    membership: 'Scheduled sync',
    manual: 'Sync by hand',
    webhook: 'Single members',
    undo: 'Taking back',
  },
  runStatus: {
    success: 'Done',
    partial: 'Done, but some of it needs a look',
    held: 'Some was left waiting',
    failed: 'Failed, nothing changed',
    refused: 'Refused, nothing changed',
    pending: 'Running',
    abandoned: 'Broke off, nothing changed',
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
    sync_in_progress:
      'Another sync is running, or another system is in the way. The status shows which. Nothing was changed.',
    plan_changed: 'The changes are no longer the same.',
    django_unreachable: 'The register could not be reached.',
    django_unauthorized: 'The register refused our key.',
    django_rate_limited: 'The register asks us to slow down.',
    django_invalid_response: 'What the register answered is no list of members.',
    django_error: 'The register had an error.',
    database_unavailable: 'The database did not answer, or did not allow it.',
    secrets_unavailable: 'A key could not be read.',
    interrupted: 'The run was stopped.',
    abandoned: 'The run broke off.',
    deadline_exceeded: 'The run took too long.',
    not_found: 'There is no such thing, or it is no longer kept.',
    invalid_request: 'The request was not valid.',
    not_askable:
      'The register cannot be asked about this number alone, because such a number fits in no address. A full sync reads the member all the same.',
    forbidden: 'The page may not do this.',
    unauthorized: 'The page could not reach the sync.',
    internal_error: 'Something unexpected went wrong. It is in the log.',
    skipped: 'The sync is switched off.',
    unreachable: 'No reply came from the sync. The history shows whether it began.',
    no_reply: 'No reply came from the sync. Nothing was changed. Try again.',
    too_busy: 'There is too much to do just now. Nothing was changed. Try again in a minute.',
    method_not_allowed: 'This cannot be asked for in that way.',
    payload_too_large: 'That was too long.',
    request_timeout: 'The request came too slowly. Try again.',
    unsupported_media_type: 'The request had the wrong form.',
  },
};
