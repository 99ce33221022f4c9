import { flag, integer, list, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'

export const CatalogSelector = object(
  {
    namespaces: optional(list(text('Namespace.'), 'Namespaces of the applications; all when absent.')),
    names: optional(list(text('Name.'), 'Names of the applications’ objects; all when absent.')),
    newestOnly: optional(flag('The newest backup of each object alone. @default false')),
  },
  'Which backups come; all when absent. An ActionSet that made several comes whole.',
)
export type CatalogSelector = TypeOf<typeof CatalogSelector>

export const CatalogImportSpec = object(
  {
    profile: object(
      {
        name: text('Name of the Profile.', { minLength: 1 }),
        namespace: optional(text('Its namespace. @default that of the CatalogImport')),
      },
      'Profile of the location in which the catalog is. The imported ActionSets reach their data by it.',
    ),
    selector: optional(CatalogSelector),
    dryRun: optional(flag('Looks, says in status what would be made, and makes nothing. @default false')),
    schedules: optional(flag('Schedules come too, suspended. @default true')),
  },
  'What is brought from where. Done once for what it says; each change of it is done anew.',
)
export type CatalogImportSpec = TypeOf<typeof CatalogImportSpec>

export const catalogImportStates = ['running', 'waiting', 'incomplete', 'complete'] as const

const moment = (what: string): ReturnType<typeof text> => text(what, { format: 'date-time' })

export const CatalogWriter = object(
  {
    installation: text('Id of the installation.'),
    cluster: optional(text('UID of the kube-system namespace of its cluster.')),
    backups: integer('Its backups in that location.'),
    firstAt: text('When the oldest of them ended.'),
    lastAt: text('When the newest of them ended.'),
    owner: text('Who may remove them: an installation.'),
    owned: flag('That is this installation. Else they are only read, until a takeover.'),
  },
  'Who wrote into the location.',
)
export type CatalogWriter = TypeOf<typeof CatalogWriter>

export const CatalogImportStatus = object(
  {
    state: optional(
      oneOf(
        catalogImportStates,
        'waiting: something has to be there first, as `message` says; it is looked for by itself. incomplete: done, but for `problems`.',
      ),
    ),
    message: optional(text('What it waits for, or what was done.')),
    observed: optional(text('Hash of the spec that this status is of.')),
    attempts: optional(integer('How often it was tried for this spec.')),
    startedAt: optional(moment('When the last try began.')),
    endedAt: optional(moment('When it ended.')),
    nextAt: optional(moment('When it is tried again; absent when it is not.')),
    records: optional(integer('Records of backups that were meant.')),
    created: optional(
      object(
        {
          blueprints: integer('Blueprints.'),
          actionSets: integer('ActionSets.'),
          schedules: integer('Schedules, suspended.'),
        },
        'What was made by the last try; with dryRun, what would be.',
      ),
    ),
    present: optional(integer('Objects that were there already and stayed as they were.')),
    problemCount: optional(integer('What could not be brought, in all.')),
    problems: optional(list(text('Which, and why.'), 'The first of them.')),
    writers: optional(list(CatalogWriter, 'Who wrote into the location, the latest first.')),
  },
  'What became of it. Written by the engine.',
)
export type CatalogImportStatus = TypeOf<typeof CatalogImportStatus>

export const CatalogImportBody = object({ spec: CatalogImportSpec, status: optional(CatalogImportStatus) })

export const catalogImportKind = defineKind({
  group: names.group,
  version: names.version,
  kind: 'CatalogImport',
  plural: 'catalogimports',
  singular: 'catalogimport',
  description:
    'Brings the catalog of a location into this cluster: Blueprints, ActionSets as complete so that none of them runs, and Schedules, suspended.',
  schema: CatalogImportBody,
  columns: [
    { name: 'Profile', type: 'string', jsonPath: '.spec.profile.name' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Records', type: 'integer', jsonPath: '.status.records' },
    { name: 'Created', type: 'integer', jsonPath: '.status.created.actionSets', description: 'ActionSets that were made.' },
    { name: 'Present', type: 'integer', jsonPath: '.status.present' },
    { name: 'Problems', type: 'integer', jsonPath: '.status.problemCount' },
    { name: 'Ended', type: 'date', jsonPath: '.status.endedAt' },
    { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
  ],
})

export type CatalogImport = TypeOf<typeof CatalogImportBody> & {
  readonly apiVersion: string
  readonly kind: 'CatalogImport'
  readonly metadata: StoredMeta
}
