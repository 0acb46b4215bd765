import type { ErrorCode } from '../../../lib/errors.ts';
import type { Action, HeldReason, Phase } from '../../../lib/sync/types.ts';
import type { MemberReason } from '../../logs/memberReason.ts';
import type { ElectionReason } from '../../status/attention.ts';
import { formatOf, isSingularIs } from './format.ts';

const { number } = formatOf('is');
const count = (n: number, one: string, more: string) =>
  `${number(n)} ${isSingularIs(n) ? one : more}`;
const verb = (n: number, one: string, more: string) => (isSingularIs(n) ? one : more);

type CountWords = (n: number) => string;
type Words<K extends string> = Record<K, string>;

/** Words for the codes that the functions answer with. The compiler misses no code that has a type. */
export const codesIs = {
  reasons: {
    lock_held: () => 'annað kerfi stendur í vegi fyrir samstillingunni, svo hún kemst ekki af stað',
    run_missing: () => 'samstilling sem átti að hefjast fór ekki af stað',
    changes_refused: (n) => `${count(n, 'breyting komst', 'breytingar komust')} ekki á kjörskrána`,
    held: (n) => `${count(n, 'breyting bíður', 'breytingar bíða')} eftir samþykki`,
    unread: () => 'ekki tókst að lesa alla félagaskrána, svo ekki er vitað hverjir eru hættir',
    undone: (n) =>
      `${count(n, 'breyting var afturkölluð', 'breytingar voru afturkallaðar')}, svo kjörskráin er önnur en félagaskráin`,
    records_set_aside: (n) =>
      `${count(n, 'færsla', 'færslur')} í félagaskránni ${verb(n, 'er ónothæf', 'eru ónothæfar')}`,
    removals_unconfirmed: (n) =>
      `${count(n, 'félagi er horfinn', 'félagar eru horfnir')} af listanum, en félagaskráin staðfestir það ekki`,
    inactive_here: (n) =>
      `${count(n, 'félagi er óvirkur', 'félagar eru óvirkir')} hér að ákvörðun annarra`,
    unseen_members: (n) =>
      `${count(n, 'félagi á kjörskrá sást', 'félagar á kjörskrá sáust')} ekki við síðustu fullu samstillingu`,
    notifications_dead: (n) =>
      `${count(n, 'tilkynning komst', 'tilkynningar komust')} aldrei til skila`,
    never_synced: () => 'full samstilling hefur aldrei farið fram',
    full_run_too_old: () => 'of langt er síðan full samstilling gekk alveg upp',
    running: () => 'samstilling stendur yfir',
    failing: () => 'síðasta samstilling mistókst',
    notifications_pending: (n) =>
      `${count(n, 'tilkynning er ekki komin', 'tilkynningar eru ekki komnar')} til skila`,
  } satisfies Record<ElectionReason['code'] | 'unread', CountWords> as Record<string, CountWords>,
  todo: {
    lock_held: 'Láttu kerfisstjórann vita.',
    run_missing: 'Ýttu á „Samstilla núna“. Láttu kerfisstjórann vita ef þetta gerist aftur.',
    changes_refused:
      'Opnaðu keyrsluna, þar stendur af hverju. Láttu kerfisstjórann vita ef það stendur enn þar eftir fulla samstillingu.',
    held: 'Skoðaðu breytingarnar og samþykktu þær, eða láttu laga félagaskrána.',
    unread:
      'Gerðu fulla samstillingu. Ef það dugar ekki þarf að skoða þá félaga sem taldir eru upp, eða láta kerfisstjórann vita.',
    undone: 'Láttu laga félagaskrána, eða skoðaðu breytingarnar og samþykktu þær.',
    records_set_aside:
      'Skoðaðu af hverju og láttu laga það í félagaskránni. Kosningarétturinn er óbreyttur þangað til.',
    removals_unconfirmed:
      'Skoðaðu félagann í félagaskránni. Kosningarétturinn er óbreyttur þangað til þetta er ljóst.',
    inactive_here: 'Opnaðu félagann hér og virkjaðu ef viðkomandi á að mega kjósa.',
    unseen_members: 'Hin atriðin skýra þetta oftast. Gerðu svo fulla samstillingu.',
    notifications_dead: 'Láttu þann sem sér um móttökukerfið lesa kjörskrána einu sinni.',
    suspended:
      'Einhver gerði félagann óvirkan hér. Opnaðu félagann og virkjaðu ef það á ekki lengur við.',
  } as Record<string, string>,
  /** What to do about one record, where the list says too little. */
  todoOf: {
    duplicate_kennitala: 'Sameinaðu færslurnar í félagaskránni.',
    duplicate_record: 'Láttu kerfisstjórann vita.',
  } as Record<string, string>,
  heldReasons: {
    limit_exceeded: 'fleiri en mörkin leyfa',
    window_limit_exceeded:
      'fleiri en mörkin leyfa á sólarhring, með þeim sem þegar hafa verið gerðar',
    snapshot_empty: 'félagaskráin sagðist engan félaga hafa',
    snapshot_incomplete: 'ekki tókst að lesa alla félagaskrána',
    unidentified_record: 'færsla er svo ólæsileg að enginn veit hvern hún á við',
    undone: 'var afturkallað áður',
    blocked: 'bíður eftir annarri breytingu',
  } satisfies Words<HeldReason> as Record<string, string>,
  changeReasons: {
    'not in the list': 'er ekki á listanum',
    'not in the list, read twice': 'er ekki á listanum, sem var lesinn tvisvar',
    'the list was read twice': 'listinn var lesinn tvisvar',
    'left out by DJANGO_EXCLUDE_KENNITALA':
      'er undanskilinn í stillingum (DJANGO_EXCLUDE_KENNITALA)',
    'the register has the same Django id with another kennitala':
      'sama númer er nú með aðra kennitölu í félagaskránni',
    'the register has another kennitala for the member that this row was linked to':
      'félagaskráin er með aðra kennitölu hjá félaganum sem þessi færsla var tengd við',
    'the register says that this is no member': 'félagaskráin segir að þetta sé ekki félagi',
    'an earlier run is taken back': 'fyrri keyrsla er afturkölluð',
    'Django says 404': 'félagaskráin finnur engan með þetta númer',
    'Django says inactive': 'er óvirkur félagi í félagaskránni',
    "Django's own page of the member says that this is no member":
      'síða félagans í félagaskránni segir að þetta sé ekki félagi',
    'in the list, and not here': 'er á listanum en ekki hér',
    'in the list again': 'er aftur á listanum',
    'in the list, and an admin releases them':
      'er á listanum, og umsjónarmaður gerir félagann virkan',
    'the register has another kennitala for this member':
      'félagaskráin er með aðra kennitölu fyrir félagann',
  } as Record<string, string>,
  fields: {
    name: 'nafn',
    kennitala: 'kennitala',
    email: 'netfang',
    phone: 'sími',
    external_id: 'númer',
    is_active: 'virkur',
    removed_at: 'hætti',
  } as Record<string, string>,
  why: {
    active: 'sást í félagaskránni',
    other_source: 'skráningin er úr öðru kerfi',
    left: 'er ekki lengur í félagaskránni',
    suspended: 'félaginn var gerður óvirkur hér, af starfsmanni eða öðru kerfi',
    inactive_here: 'félaginn var óvirkur hér áður en félagaskráin þekkti númerið',
    set_aside: 'færslan í félagaskránni er ónothæf, svo ekkert breytist',
    removal_unconfirmed: 'er ekki á listanum, en ekki er staðfest að félaginn sé hættur',
    held: 'breyting bíður eftir samþykki',
    undone: 'breyting var afturkölluð',
    unseen_members: 'sást ekki við síðustu fullu samstillingu',
    unknown: 'enginn með þetta númer er hér',
  } satisfies Words<MemberReason['code'] | 'unseen_members'> as Record<string, string>,
  recordErrors: {
    invalid_record: 'færslan er ekki á réttu formi',
    invalid_id: 'númerið vantar eða það er rangt',
    invalid_kennitala: 'kennitöluna vantar eða hún er röng',
    invalid_name: 'nafnið vantar eða það er rangt',
    invalid_is_active: 'óljóst er hvort þetta er félagi',
    invalid_deleted_at: 'óljóst er hvenær félaginn hætti',
    invalid_encoding: 'færslan er með ólæsileg tákn',
    just_changed: 'nýrra svar félagaskrárinnar um félagann gildir þar til næst',
    stale_reply: 'svar félagaskrárinnar var of gamalt',
    duplicate_record: 'færslan kom oftar en einu sinni',
    duplicate_kennitala: 'önnur færsla er með sömu kennitölu',
    another_record: 'félagaskráin svaraði með öðrum félaga',
    removal_unconfirmed: 'félagaskráin staðfestir ekki að félaginn sé hættur',
    inactive_here: 'félaginn var þegar óvirkur hér',
    unknown_id: 'félagaskráin þekkir ekki þetta númer',
    undo_conflict: 'félaginn hefur breyst síðan',
    reactivation_unconfirmed:
      'er aftur á listanum, en síða félagans í félagaskránni staðfestir það ekki',
    change_refused: 'gagnagrunnurinn hafnaði breytingunni',
    change_waits: 'bíður eftir breytingu á öðrum félaga með sömu kennitölu',
    row_locked: 'annað kerfi hélt færslunni, og næsta samstilling reynir aftur',
    plan_outdated: 'annað kerfi breytti færslunni, og næsta samstilling reynir aftur',
    value_rewritten: 'annað kerfi skráir annað gildi en það sem er í félagaskránni',
  } as Record<string, string>,
  runTypes: {
    membership: 'Samstilling á áætlun',
    manual: 'Handvirk samstilling',
    webhook: 'Einstakir félagar',
    undo: 'Afturköllun',
  } as Record<string, string>,
  runStatus: {
    success: 'Tókst',
    partial: 'Lokið, en sumt þarf að skoða',
    held: 'Sumt var látið bíða',
    failed: 'Mistókst, ekkert breyttist',
    refused: 'Hafnað, ekkert breyttist',
    pending: 'Stendur yfir',
    abandoned: 'Slitnaði, ekkert breyttist',
  } as Record<string, string>,
  actions: {
    add: 'Kom á kjörskrá',
    update: 'Breyttist',
    reactivate: 'Kom aftur á kjörskrá',
    remove: 'Fór af kjörskrá',
  } satisfies Words<Action> as Record<string, string>,
  phases: {
    starting: 'hefst',
    fetch: 'les félagaskrána',
    plan: 'ber saman',
    confirm: 'spyr félagaskrána um þá sem fara',
    apply: 'skráir breytingarnar',
  } satisfies Words<Phase | 'starting'> as Record<string, string>,
  errors: {
    sync_in_progress:
      'Önnur samstilling stendur yfir, eða annað kerfi er í veginum. Staðan sýnir hvort er. Engu var breytt.',
    plan_changed: 'Breytingarnar eru ekki lengur þær sömu.',
    django_unreachable: 'Ekki náðist samband við félagaskrána.',
    django_unauthorized: 'Félagaskráin hafnaði lyklinum okkar.',
    django_rate_limited: 'Félagaskráin biður okkur að hægja á.',
    django_invalid_response: 'Svar félagaskrárinnar var ekki félagalisti.',
    django_error: 'Villa kom upp í félagaskránni.',
    database_unavailable: 'Gagnagrunnurinn svaraði ekki, eða leyfði þetta ekki.',
    secrets_unavailable: 'Ekki var hægt að lesa lykil.',
    interrupted: 'Keyrslan var stöðvuð.',
    abandoned: 'Keyrslan slitnaði.',
    deadline_exceeded: 'Keyrslan tók of langan tíma.',
    not_found: 'Þetta er ekki til, eða er ekki lengur geymt.',
    invalid_request: 'Beiðnin var ekki gild.',
    not_askable:
      'Ekki er hægt að spyrja félagaskrána um þetta númer eitt og sér, því að slíkt númer kemst ekki fyrir í vefslóð. Full samstilling les félagann samt.',
    forbidden: 'Síðan hefur ekki leyfi til þess.',
    unauthorized: 'Síðan komst ekki að samstillingunni.',
    internal_error: 'Eitthvað óvænt fór úrskeiðis. Það er skráð.',
    skipped: 'Slökkt er á samstillingu.',
    unreachable: 'Ekkert svar barst frá samstillingunni. Sagan sýnir hvort hún fór af stað.',
    no_reply: 'Ekkert svar barst frá samstillingunni. Engu var breytt. Reyndu aftur.',
    too_busy: 'Of mikið er að gera núna. Engu var breytt. Reyndu aftur eftir mínútu.',
    method_not_allowed: 'Þannig er ekki hægt að biðja um þetta.',
    payload_too_large: 'Þetta var of langt.',
    request_timeout: 'Beiðnin barst of hægt. Reyndu aftur.',
    unsupported_media_type: 'Beiðnin var ekki á réttu formi.',
  } satisfies Words<
    ErrorCode | 'skipped' | 'unreachable' | 'no_reply' | 'too_busy' | 'not_askable'
  > as Record<string, string>,
};

export type Codes = typeof codesIs;
