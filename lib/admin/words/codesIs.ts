import type { ErrorCode } from '../../errors.ts';
import type { ElectionReason } from '../../sync/attention.ts';
import type { MemberReason } from '../../sync/memberReason.ts';
import type { Phase } from '../../sync/progress.ts';
import type { Action, HeldReason } from '../../sync/types.ts';
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
    undone: (n) =>
      `${count(n, 'breyting var afturkölluð', 'breytingar voru afturkallaðar')}, svo kjörskráin er önnur en félagaskráin`,
    records_set_aside: (n) =>
      `${count(n, 'færsla', 'færslur')} í félagaskránni ${verb(n, 'er ólæsileg', 'eru ólæsilegar')}`,
    removals_unconfirmed: (n) =>
      `${count(n, 'félagi er horfinn', 'félagar eru horfnir')} af listanum, en félagaskráin staðfestir það ekki`,
    inactive_here: (n) =>
      `${count(n, 'félagi er óvirkur', 'félagar eru óvirkir')} hér að ákvörðun annarra`,
    unseen_members: (n) =>
      `${count(n, 'félagi á kjörskrá sást', 'félagar á kjörskrá sáust')} ekki við síðustu fullu samstillingu`,
    notifications_dead: (n) =>
      `${count(n, 'tilkynning komst', 'tilkynningar komust')} aldrei til skila`,
    never_synced: () => 'full samstilling hefur aldrei farið fram',
    full_run_too_old: () => 'síðasta fulla samstilling er of gömul',
    running: () => 'samstilling stendur yfir',
    failing: () => 'síðasta samstilling mistókst',
    notifications_pending: (n) =>
      `${count(n, 'tilkynning er ekki komin', 'tilkynningar eru ekki komnar')} til skila`,
  } satisfies Record<ElectionReason['code'], CountWords> as Record<string, CountWords>,
  todo: {
    lock_held: 'Láttu kerfisstjórann vita.',
    run_missing: 'Ýttu á „Samstilla núna“. Láttu kerfisstjórann vita ef þetta gerist aftur.',
    changes_refused:
      'Opnaðu keyrsluna, þar stendur af hverju. Láttu kerfisstjórann vita ef það stendur enn þar eftir heila samstillingu.',
    held: 'Skoðaðu breytingarnar og samþykktu þær, eða láttu laga félagaskrána.',
    undone: 'Láttu laga félagaskrána, eða skoðaðu breytingarnar og samþykktu þær.',
    records_set_aside: 'Lagaðu færsluna í Django. Staða félagans er óbreytt þangað til.',
    removals_unconfirmed:
      'Skoðaðu félagann í Django. Hann heldur kosningarétti þangað til þetta er ljóst.',
    inactive_here: 'Virkjaðu félagann ef hann á að mega kjósa.',
    unseen_members: 'Hin atriðin skýra þetta oftast. Gerðu svo fulla samstillingu.',
    notifications_dead: 'Láttu þann sem sér um móttökukerfið lesa kjörskrána einu sinni.',
    suspended: 'Einhver gerði félagann óvirkan hér. Virkjaðu hann ef það á ekki lengur við.',
  } as Record<string, string>,
  heldReasons: {
    limit_exceeded: 'fleiri en mörkin leyfa',
    window_limit_exceeded: 'fleiri en mörkin leyfa á einum sólarhring',
    snapshot_empty: 'félagaskráin sagðist engan félaga hafa',
    snapshot_incomplete: 'félagaskráin breyttist á meðan hún var lesin',
    unidentified_record: 'færsla er svo ólæsileg að enginn veit hvern hún á við',
    undone: 'var afturkallað áður',
    blocked: 'bíður eftir annarri breytingu',
  } satisfies Words<HeldReason> as Record<string, string>,
  changeReasons: {
    'not in the list': 'er ekki á listanum',
    'the register has the same Django id with another kennitala':
      'sama númer er nú með aðra kennitölu í félagaskránni',
    'the register says that this is no member': 'félagaskráin segir að þetta sé ekki félagi',
    'an earlier run is taken back': 'fyrri keyrsla er afturkölluð',
    'Django says 404': 'félagaskráin finnur engan með þetta númer',
    'Django says inactive': 'er skráður óvirkur í félagaskránni',
    "Django's own page of the member says that this is no member":
      'síða félagans í félagaskránni segir að þetta sé ekki félagi',
    'in the list, and not here': 'er á listanum en ekki hér',
    'in the list again': 'er aftur á listanum',
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
    other_source: 'kom úr öðru kerfi og samstillingin snertir hann ekki',
    left: 'er ekki lengur í félagaskránni',
    suspended: 'var gerður óvirkur hér, af starfsmanni eða öðru kerfi',
    inactive_here: 'var óvirkur hér áður en félagaskráin þekkti hann',
    set_aside: 'færslan í félagaskránni er ólæsileg, svo staða hans er óbreytt',
    removal_unconfirmed: 'er ekki á listanum, en félagaskráin staðfestir ekki að hann sé hættur',
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
    partial: 'Tókst, en sumt var ólæsilegt',
    held: 'Sumt bíður samþykkis',
    failed: 'Mistókst, ekkert breyttist',
    refused: 'Hafnað, ekkert breyttist',
    pending: 'Stendur yfir',
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
    sync_in_progress: 'Önnur samstilling stendur yfir. Bíddu þar til henni er lokið.',
    plan_changed: 'Breytingarnar eru ekki lengur þær sömu.',
    django_unreachable: 'Ekki náðist samband við félagaskrána.',
    django_unauthorized: 'Félagaskráin hafnaði lyklinum okkar.',
    django_rate_limited: 'Félagaskráin biður okkur að hægja á.',
    django_invalid_response: 'Svar félagaskrárinnar var ekki félagalisti.',
    django_error: 'Villa kom upp í félagaskránni.',
    database_unavailable: 'Ekki náðist samband við gagnagrunninn.',
    secrets_unavailable: 'Ekki var hægt að lesa lykil.',
    interrupted: 'Keyrslan var stöðvuð.',
    abandoned: 'Keyrslan slitnaði.',
    deadline_exceeded: 'Keyrslan tók of langan tíma.',
    not_found: 'Þetta er ekki til, eða er ekki lengur geymt.',
    invalid_request: 'Beiðnin var ekki gild.',
    forbidden: 'Síðan hefur ekki leyfi til þess.',
    unauthorized: 'Síðan komst ekki að samstillingunni.',
    internal_error: 'Eitthvað óvænt fór úrskeiðis. Það er skráð.',
    skipped: 'Slökkt er á samstillingu.',
    unreachable: 'Ekkert svar barst frá samstillingunni. Sagan sýnir hvort hún fór af stað.',
    method_not_allowed: 'Þannig er ekki hægt að biðja um þetta.',
    payload_too_large: 'Þetta var of langt.',
    request_timeout: 'Beiðnin barst of hægt. Reyndu aftur.',
    unsupported_media_type: 'Beiðnin var ekki á réttu formi.',
  } satisfies Words<ErrorCode | 'skipped' | 'unreachable'> as Record<string, string>,
};

export type Codes = typeof codesIs;
