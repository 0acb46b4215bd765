import { formatOf } from './format.ts';
import type { LookWords } from './lookIs.ts';

const { number } = formatOf('en');
const count = (n: number, one: string, more: string) => `${number(n)} ${n === 1 ? one : more}`;

export const lookEn: LookWords = {
  lookIntro:
    'This is where the register and the voters’ table differ. Looking reads the register and changes nothing.',
  lookedAt: (at) => `The register was read ${at}.`,
  undoLookedAt: (at) => `Looked at ${at}.`,
  lookNone: 'Nothing changes: the voters’ table agrees with the register.',
  lookNoneBut:
    'The next sync changes nothing, but the voters’ table does not agree with the register',
  suspendedHere: (n) => `${count(n, 'member was', 'members were')} made inactive here`,
  lookGone: 'This look is no longer kept. Look again. Nothing was changed.',
  lookDone: 'These changes were made already',
  lookDoneSome: 'Some of these changes were made already',
  lookDoneWhy: 'What you looked at is over. Look again at what is left.',
  madeThere: (n) => `${count(n, 'change was', 'changes were')} made there.`,
  shown: (from, to, of) =>
    from === 1 && to === of
      ? `${number(of)} of ${number(of)} shown`
      : `${number(from)}–${number(to)} of ${number(of)} shown`,
  tooMany: (n, of) => `Only the first ${number(n)} of ${number(of)} changes are shown.`,
  notShown:
    'There are more changes than can be shown, and what is not seen cannot be approved here. Inform the operator.',
  willHappen:
    'This needs no approval. The next sync makes it, unless another system or the database is in the way.',
  waits: (reason, limit) =>
    `Waits for an approval: ${reason}${limit === undefined ? '' : ` (the limit is ${number(limit)})`}.`,
  becauseOf: (reason) => `The reason: ${reason}.`,
  toDecision: 'Go to the approval',
  noneOfThese: 'No such change.',
  emptyRegister: (n) =>
    `If this is approved, ${count(n, 'member loses their vote', 'members lose their vote')}, and nobody of the register is left among the voters. Most likely the register, or our way to it, is broken. Have the operator look before you approve.`,
  notAskedYet:
    'The register has not been asked about each of them. That happens when you approve, and those that it still has as members keep their vote.',
  unconfirmedAmong: (n) =>
    `The register was asked about ${number(n)} of these already, and did not confirm that they left. Another approval changes nothing for them while that is so.`,
  together: (n, tab) =>
    `New and returning members are approved together: ${number(n)} more under “${tab}”.`,
  lookChanged: 'The changes are no longer the same',
  lookChangedWhy:
    'The changes are others than those that you looked at, so nothing was changed. Only what differs is here. Look at it, then approve again.',
  newSince: 'Added since you looked',
  goneSince: 'No longer among them',
  isNew: 'new',
  isGone: 'gone',
  showAll: 'Show all changes',
  unusable: (n) => `${count(n, 'point needs', 'points need')} a look.`,
  approveTitle: {
    removals: (n) => `Approve that ${count(n, 'member leaves', 'members leave')} the voters`,
    additions: (n) => `Approve that ${count(n, 'member joins', 'members join')} the voters`,
    updates: (n) => `Approve changed details of ${count(n, 'member', 'members')}`,
    kennitala_changes: (n) => `Approve another kennitala for ${count(n, 'member', 'members')}`,
  },
  typeNumber: (n) => `Type the number ${number(n)} to confirm`,
  approve: 'Approve',
  wrongNumber: (n) => `That is not the number. It is ${number(n)}. Nothing was changed.`,
  undoTitle: (run) => `Take back run ${run}`,
  undoOneTitle: (run) => `Take back the change of one member in run ${run}`,
  undoCount: (n) => `Take back ${count(n, 'change', 'changes')}`,
  undoIntro:
    'This is how the voters’ table changes if this is taken back. The changes are not made again unless the register changes or you approve them.',
  undo: 'Take back',
  undoLook: 'Look at taking back the whole run',
  undoNone: 'There is nothing left to take back here.',
  conflicts: (n) =>
    `${count(n, 'member has', 'members have')} changed since, and ${n === 1 ? 'stays as it is' : 'stay as they are'}.`,
  ask: 'Ask the register now',
  askedSame: (mayVote) =>
    mayVote
      ? 'The register says the same as the voters’ table. The next sync changes nothing.'
      : 'The register says as well that this is no member. The next sync changes nothing.',
  askedNeither: 'The register finds nobody with this number. The next sync changes nothing.',
  askedOther:
    'The register finds nobody with this number. The vote comes from another system, and no sync changes it.',
  askedSuspended:
    'The register says that this is a member, but the member was made inactive here. No sync changes that.',
  askedNoRelease: (found) =>
    found
      ? 'Nothing was done: there is nothing to make active here.'
      : 'Nothing was done: the register finds nobody with this number, so the member cannot be made active.',
  askedChange: 'The register says otherwise. This would change:',
  askedHeld: 'The register says otherwise, but the change waits for an approval:',
  askedAlone:
    'A sync leaves this waiting for an approval with other changes. Here it is made for this member alone.',
  askedAgain: 'Nothing was changed: the register now says something else than you saw. It is this.',
  askedErrors: 'The register’s answer changes nothing:',
  applyNow: 'Make this change now',
  release: 'Make the member active',
};
