/**
 * Short names of zones where Intl has none, or another than the zone database: name, offset in seconds at which it holds,
 * zones. Compared with Go for every zone of the database, release 2026a.
 */
const names: ReadonlyArray<readonly [name: string, offsetSeconds: number, zones: string]> = [
  ['HST', -36_000, 'America/Adak America/Atka US/Aleutian'],
  ['HDT', -32_400, 'America/Adak America/Atka US/Aleutian'],
  ['SST', -39_600, 'Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa'],
  ['MST', -25_200, 'America/Dawson America/Hermosillo America/Mazatlan America/Whitehorse Canada/Yukon Mexico/BajaSur'],
  ['CST', -18_000, 'America/Havana Cuba'],
  ['CDT', -14_400, 'America/Havana Cuba'],
  ['NST', -12_600, 'America/St_Johns Canada/Newfoundland'],
  ['NDT', -9000, 'America/St_Johns Canada/Newfoundland'],
  ['GMT', 0, 'Etc/GMT GMT GMT+0 GMT-0 GMT0'],
  ['BST', 3600, 'Europe/London GB GB-Eire Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey'],
  ['IST', 3600, 'Europe/Dublin Eire'],
  ['MET', 3600, 'MET'],
  ['MEST', 7200, 'MET'],
  ['IST', 7200, 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['IDT', 10_800, 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['MSK', 10_800, 'Europe/Kirov Europe/Moscow Europe/Simferopol Europe/Volgograd W-SU'],
  ['PKT', 18_000, 'Asia/Karachi'],
  ['WIB', 25_200, 'Asia/Jakarta Asia/Pontianak'],
  ['WITA', 28_800, 'Asia/Makassar Asia/Ujung_Pandang'],
  ['WIT', 32_400, 'Asia/Jayapura'],
  ['PST', 28_800, 'Asia/Manila'],
  ['HKT', 28_800, 'Asia/Hong_Kong Hongkong'],
  ['CST', 28_800, 'Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai Asia/Taipei PRC ROC'],
  ['KST', 32_400, 'Asia/Pyongyang Asia/Seoul ROK'],
  ['JST', 32_400, 'Asia/Tokyo Japan'],
  ['ChST', 36_000, 'Pacific/Guam Pacific/Saipan'],
]

/** Zones to which Intl gives a name that the zone database does not know: there they go by their offset. */
const nameless = new Set(
  (
    'Antarctica/Casey Antarctica/Troll Asia/Colombo Asia/Dubai Asia/Muscat Australia/Eucla Australia/LHI ' +
    'Australia/Lord_Howe NZ-CHAT Pacific/Chatham'
  ).split(' '),
)

const byZone: ReadonlyMap<string, string> = new Map(
  names.flatMap(([name, offset, zones]) => zones.split(' ').map((zone) => [`${zone} ${offset}`, name] as const)),
)

/** The short name to use whatever Intl says; '' to go by the offset; undefined to ask Intl. */
export function knownZoneName(zone: string, offsetSeconds: number): string | undefined {
  return byZone.get(`${zone} ${offsetSeconds}`) ?? (nameless.has(zone) ? '' : undefined)
}
