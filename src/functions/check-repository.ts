import { messageOf } from '../base/errors.ts'
import type { CheckReport, DataSubset } from '../repository/check.ts'
import { repositoryError } from '../repository/errors.ts'
import { object, optional, text } from '../schema/build.ts'
import { storeError } from '../store/errors.ts'
import type { FunctionContext } from './context.ts'
import { type DataRepositoryArgs, openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { functionVersion } from './function-version.ts'
import { podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'

export const checkRepository = defineFunction({
  name: 'CheckRepository',
  summary:
    'Says whether the repository of BackupData is there and opens, and if not, why; if asked to, reads a sample of its data.',
  args: object({
    namespace: optional(text('Taken for symmetry with the other functions; no pod is made.')),
    image: optional(text('Taken for the sake of existing Blueprints: no pod is made.')),
    ...repositoryArgs,
    readDataSubset: optional(
      text(
        'How much of the data is read and verified: `5%` by chance, `2/10` for the second of ten parts, `0%` only what leads to it. Empty or absent: nothing is checked beyond opening.',
      ),
    ),
    ...podArgs,
  }),
  outputs: {
    passwordIncorrect: '`true` if no key that is known opens it, else `false`.',
    repoUnavailable: '`true` if there is none, or it cannot be reached, else `false`.',
    reason: '`ok`, `absent`, `wrongKey`, `noBucket`, `denied`, `unreachable`, or `damaged` (with `readDataSubset` only).',
    findings: 'With `readDataSubset`: what is damaged, a line each, at most twenty; empty when nothing is.',
    readBytes: 'With `readDataSubset`: bytes of data that were read.',
    packs: 'With `readDataSubset`: packs in the repository.',
    version: 'Version of the function.',
  },
  notes: [
    'The work is done by the engine, in no pod: the arguments of pods are taken and have no effect.',
    'A store that refuses the credentials or does not answer counts as unavailable, as with Kanister; `reason` tells them apart.',
    'Without `readDataSubset` a repository that is damaged where it is read is a failure of the phase; with it `reason` says so.',
  ],
  rbac: repositoryRules,
  resume: 'restart',
  checkArgs: ({ readDataSubset = '' }) =>
    readDataSubset === '' || subsetOf(readDataSubset) !== undefined
      ? []
      : [`readDataSubset "${readDataSubset}" is no part of the data; write 5% or 2/10`],
  async run(ctx, args) {
    const { reason, report } = await probe(ctx, args)
    return {
      passwordIncorrect: String(reason === 'wrongKey'),
      repoUnavailable: String(!['ok', 'wrongKey', 'damaged'].includes(reason)),
      reason,
      ...(report ? outputsOf(report) : {}),
      version: functionVersion,
    }
  },
})

type Reason = 'ok' | 'absent' | 'wrongKey' | 'noBucket' | 'denied' | 'unreachable' | 'damaged'

interface Probed {
  readonly reason: Reason
  readonly report?: CheckReport
}

type ProbeArgs = Omit<DataRepositoryArgs, 'create'> & { readonly readDataSubset?: string | undefined }

async function probe(ctx: FunctionContext, { readDataSubset = '', ...args }: ProbeArgs): Promise<Probed> {
  try {
    await using repository = await openDataRepository(ctx, { ...args, create: false })
    await repository.snapshots({ signal: ctx.signal })
    if (readDataSubset === '') return { reason: 'ok' }
    const report = await repository.check({
      readData: subsetOf(readDataSubset) ?? false,
      signal: ctx.signal,
      onWarning: (warning) => ctx.warn(warning),
    })
    return { reason: report.findings.length === 0 ? 'ok' : 'damaged', report }
  } catch (error) {
    if (ctx.signal.aborted) throw error
    // What cannot be read although its key fits: an index, a snapshot, a tree.
    if (readDataSubset !== '' && repositoryError.is(error, 'REPOSITORY_DAMAGED'))
      return { reason: 'damaged', report: nothingRead(messageOf(error)) }
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    ctx.log.info({ reason }, 'Repository cannot be used')
    return { reason }
  }
}

function nothingRead(problem: string): CheckReport {
  return { findings: [{ object: 'repository', problem }], snapshotCount: 0, packCount: 0, orphanPackCount: 0, readBytes: 0 }
}

const mostFindings = 20

function outputsOf({ findings, readBytes, packCount }: CheckReport): Record<string, string> {
  const lines = findings.slice(0, mostFindings).map(({ object: where, problem }) => `${where}: ${problem}`)
  const more = findings.length > mostFindings ? [`and ${findings.length - mostFindings} more`] : []
  return { findings: [...lines, ...more].join('\n'), readBytes: String(readBytes), packs: String(packCount) }
}

/** `false`: nothing of the data, only what leads to it. Undefined: that is no subset. */
function subsetOf(words: string): DataSubset | false | undefined {
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(words) ?? []
  if (part !== undefined && of !== undefined) {
    const subset = { part: Number(part), of: Number(of) }
    return subset.of >= 1 && subset.of <= 256 && subset.part >= 1 && subset.part <= subset.of ? subset : undefined
  }
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(words) ?? []
  if (percent === undefined || Number(percent) > 100) return undefined
  return Number(percent) === 0 ? false : { percent: Number(percent) }
}

function reasonOf(error: unknown): Reason | undefined {
  if (functionError.is(error, 'FUNCTION_NO_REPOSITORY')) return 'absent'
  if (functionError.is(error, 'FUNCTION_NO_KEY')) return 'wrongKey'
  if (storeError.is(error, 'STORE_NO_BUCKET')) return 'noBucket'
  if (storeError.is(error, 'STORE_DENIED')) return 'denied'
  const away = ['STORE_UNREACHABLE', 'STORE_UNAVAILABLE', 'STORE_THROTTLED', 'STORE_UNTRUSTED'] as const
  return storeError.is(error, ...away) ? 'unreachable' : undefined
}
