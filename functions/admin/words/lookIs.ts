import { formatOf, isSingularIs } from './format.ts';

const { number } = formatOf('is');
const count = (n: number, one: string, more: string) =>
  `${number(n)} ${isSingularIs(n) ? one : more}`;
const form = (n: number, one: string, more: string) => (isSingularIs(n) ? one : more);

/** Words of looking at changes, approving them, taking them back, and asking about one member. */
export const lookIs = {
  lookIntro:
    'Hér sést hvað er ólíkt með félagaskránni og kjörskránni. Skoðunin les félagaskrána en breytir engu.',
  lookedAt: (at: string) => `Félagaskráin var lesin ${at}.`,
  undoLookedAt: (at: string) => `Skoðað ${at}.`,
  lookNone: 'Ekkert breytist: kjörskráin er í samræmi við félagaskrána.',
  lookNoneBut: 'Næsta samstilling breytir engu, en kjörskráin er ekki í samræmi við félagaskrána',
  suspendedHere: (n: number) =>
    `${count(n, 'félagi var gerður óvirkur', 'félagar voru gerðir óvirkir')} hér`,
  lookGone: 'Þessi skoðun er ekki lengur geymd. Skoðaðu aftur. Engu var breytt.',
  lookDone: 'Þessar breytingar hafa þegar verið gerðar',
  lookDoneSome: 'Sumar þessara breytinga hafa þegar verið gerðar',
  lookDoneWhy: 'Það sem þú skoðaðir á því ekki lengur við. Skoðaðu aftur það sem eftir er.',
  madeThere: (n: number) => `${count(n, 'breyting var gerð', 'breytingar voru gerðar')} þar.`,
  shown: (from: number, to: number, of: number): string =>
    from === 1 && to === of
      ? `Sýnt: ${number(of)} af ${number(of)}`
      : `Sýnt: ${number(from)}–${number(to)} af ${number(of)}`,
  tooMany: (n: number, of: number) =>
    `Aðeins fyrstu ${number(n)} af ${number(of)} breytingum eru sýndar.`,
  notShown:
    'Breytingarnar eru fleiri en hægt er að sýna, og það sem ekki sést er ekki hægt að samþykkja hér. Láttu kerfisstjórann vita.',
  willHappen:
    'Þetta þarf ekki samþykki. Næsta samstilling gerir það, nema annað kerfi eða gagnagrunnurinn standi í vegi.',
  waits: (reason: string, limit: number | undefined) =>
    `Bíður samþykkis: ${reason}${limit === undefined ? '' : ` (mörkin eru ${number(limit)})`}.`,
  becauseOf: (reason: string) => `Ástæðan: ${reason}.`,
  toDecision: 'Áfram að samþykkinu',
  noneOfThese: 'Engin slík breyting.',
  emptyRegister: (n: number) =>
    `Samþykki þýðir að ${number(n)} ${form(n, 'missir', 'missa')} kosningarétt og enginn úr félagaskránni verður eftir á kjörskránni. Langlíklegast er að félagaskráin eða aðgangurinn að henni sé bilaður. Láttu kerfisstjórann athuga það áður en þú samþykkir.`,
  notAskedYet:
    'Félagaskráin hefur ekki verið spurð um hvern og einn. Það er gert þegar þú samþykkir, og þau sem hún segir að séu enn félagar halda kosningarétti.',
  unconfirmedAmong: (n: number) =>
    `Um ${number(n)} af þessum hefur félagaskráin þegar verið spurð, og hún staðfesti ekki brottfallið. Nýtt samþykki breytir engu um þau á meðan svo er.`,
  together: (n: number, tab: string) =>
    `Nýir og þeir sem koma aftur eru samþykktir saman: ${number(n)} í viðbót undir „${tab}“.`,
  lookChanged: 'Breytingarnar eru ekki lengur þær sömu',
  lookChangedWhy:
    'Breytingarnar eru aðrar en þær sem þú skoðaðir, svo engu var breytt. Hér er aðeins það sem er ólíkt. Skoðaðu það og samþykktu svo aftur.',
  newSince: 'Bættist við eftir að þú skoðaðir',
  goneSince: 'Á ekki lengur við',
  isNew: 'nýtt',
  isGone: 'fellur út',
  showAll: 'Sýna allar breytingar',
  unusable: (n: number) => `${number(n)} atriði þarf að skoða.`,
  approveTitle: {
    removals: (n: number) => `Samþykkja að ${number(n)} fari af kjörskrá`,
    additions: (n: number) => `Samþykkja að ${number(n)} komi á kjörskrá`,
    updates: (n: number) => `Samþykkja ${count(n, 'breytingu', 'breytingar')} á upplýsingum`,
    kennitala_changes: (n: number) =>
      `Samþykkja ${count(n, 'breytta kennitölu', 'breyttar kennitölur')}`,
  },
  typeNumber: (n: number) => `Skrifaðu töluna ${number(n)} til að staðfesta`,
  approve: 'Samþykkja',
  wrongNumber: (n: number) => `Talan passar ekki. Hún á að vera ${number(n)}. Engu var breytt.`,
  undoTitle: (run: number) => `Afturkalla keyrslu ${run}`,
  undoOneTitle: (run: number) => `Afturkalla breytingu á einum félaga í keyrslu ${run}`,
  undoCount: (n: number) => `Afturkalla ${count(n, 'breytingu', 'breytingar')}`,
  undoIntro:
    'Hér sést hvernig kjörskráin breytist ef þetta er afturkallað. Breytingarnar verða ekki gerðar aftur nema félagaskráin breytist eða þú samþykkir þær.',
  undo: 'Afturkalla',
  undoLook: 'Skoða afturköllun á allri keyrslunni',
  undoNone: 'Hér er ekkert til að afturkalla lengur.',
  conflicts: (n: number) =>
    count(
      n,
      'félagi hefur breyst síðan og verður eins og nú er.',
      'félagar hafa breyst síðan og verða eins og nú er.',
    ),
  ask: 'Spyrja félagaskrána núna',
  askedSame: (mayVote: boolean): string =>
    mayVote
      ? 'Félagaskráin segir það sama og kjörskráin. Næsta samstilling breytir engu.'
      : 'Félagaskráin segir líka að þetta sé ekki félagi. Næsta samstilling breytir engu.',
  askedNeither: 'Félagaskráin finnur engan með þetta númer. Næsta samstilling breytir engu.',
  askedOther:
    'Félagaskráin finnur engan með þetta númer. Kosningarétturinn er úr öðru kerfi og samstillingin breytir honum ekki.',
  askedSuspended:
    'Félagaskráin segir að þetta sé félagi, en hér var félaginn gerður óvirkur. Samstillingin breytir því ekki.',
  askedNoRelease: (found: boolean): string =>
    found
      ? 'Ekkert var gert: hér er ekkert að virkja.'
      : 'Ekkert var gert: félagaskráin finnur engan með þetta númer, svo félagann er ekki hægt að virkja.',
  askedChange: 'Félagaskráin segir annað. Þetta myndi breytast:',
  askedHeld: 'Félagaskráin segir annað, en breytingin bíður samþykkis:',
  askedAlone:
    'Samstillingin lætur þetta bíða samþykkis með öðrum breytingum. Hér er það gert fyrir þennan félaga einan.',
  askedAgain:
    'Engu var breytt: svar félagaskrárinnar er annað en það sem þú sást. Nú er það svona.',
  askedErrors: 'Svar félagaskrárinnar breytir engu:',
  applyNow: 'Gera þessa breytingu núna',
  release: 'Virkja félagann',
};

export type LookWords = typeof lookIs;
