import { customResourceDefinition } from '../../api/crd.ts'
import type { Kind } from '../../api/kind.ts'
import { kinds as ownKindList } from '../../api/kinds.ts'
import type { Clock } from '../../base/clock.ts'
import { kinds } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Logger } from '../../telemetry/logger.ts'

export interface CrdGuardOptions {
  readonly kube: Pick<Kube, 'resource'>
  readonly clock: Clock
  readonly log: Logger
}

/** How often all is looked at, and what is amiss is said, in ms. */
const wholeMs = 60_000
/** How the definitions come into the cluster. */
const remedy = 'kubectl apply --server-side --force-conflicts -f install.yaml'

/**
 * Looks whether the API server knows our kinds and their fields. Without a kind everything that needs it waits, so that is said aloud. Fields are
 * dropped without a word when a Kanister beside us writes its own CRDs at each of its starts; the annotations of the same meaning go on working.
 */
export class CrdGuard {
  readonly #options: CrdGuardOptions
  #missing: readonly Kind[] = []
  #lookedMs = -Infinity

  constructor(options: CrdGuardOptions) {
    this.#options = options
  }

  /** What lacks and what brings it, for people; undefined when all kinds are there, or it was not looked yet. */
  get trouble(): string | undefined {
    if (this.#missing.length === 0) return undefined
    return `the API server has no CRD of ${this.#missing.map(({ kind }) => kind).join(', ')}: ${remedy}`
  }

  /** To be called often: it looks once a minute, and at each call for kinds that are missing. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    const isWhole = Math.abs(clock.now() - this.#lookedMs) >= wholeMs
    if (!isWhole && this.#missing.length === 0) return
    if (isWhole) this.#lookedMs = clock.now()
    const missing: Kind[] = []
    for (const kind of isWhole ? ownKindList : this.#missing) {
      const found = await this.#find(kind, signal)
      if (!found) missing.push(kind)
      else if (isWhole) this.#reportFields(kind, found)
    }
    if (isWhole) this.#reportKinds(missing)
    if (missing.length < this.#missing.length) log.info({ missing: missing.length }, 'CRDs that were missing are there')
    this.#missing = missing
  }

  async #find(kind: Kind, signal: AbortSignal): Promise<object | undefined> {
    return await this.#options.kube.resource(kinds.customResourceDefinitions).find({ name: nameOf(kind) }, { signal })
  }

  #reportKinds(missing: readonly Kind[]): void {
    for (const kind of missing)
      this.#options.log.error(
        { kind: kind.kind, crd: nameOf(kind), remedy },
        'the API server does not know this kind: its CRD is not installed, and everything that needs it waits',
      )
  }

  #reportFields(kind: Kind, found: object): void {
    const missing = missingFields(customResourceDefinition(kind), found)
    if (missing.length === 0) return
    const fields = missing.slice(0, 20).join(', ')
    this.#options.log.warn(
      { crd: nameOf(kind), fields },
      'the CRD lacks fields of this version; kubectl apply --server-side --force-conflicts -f crds/ brings them back',
    )
  }
}

function nameOf({ plural, group }: Kind): string {
  return `${plural}.${group}`
}

/** Paths of the properties that the schema of `wanted` has and that of `found` lacks; nothing below a missing one. */
export function missingFields(wanted: unknown, found: unknown): string[] {
  return compare(schemaOf(wanted), schemaOf(found), '')
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
}

function schemaOf(crd: unknown): Schema | undefined {
  const { spec } = (crd ?? {}) as { spec?: { versions?: ReadonlyArray<{ schema?: { openAPIV3Schema?: Schema } }> } }
  return spec?.versions?.[0]?.schema?.openAPIV3Schema
}

function compare(wanted: Schema | undefined, found: Schema | undefined, path: string): string[] {
  if (!wanted) return []
  if (!found) return [path || 'everything']
  return [
    ...Object.entries(wanted.properties ?? {}).flatMap(([name, inner]) =>
      compare(inner, found.properties?.[name], path === '' ? name : `${path}.${name}`),
    ),
    ...compare(wanted.items, found.items, `${path}[]`),
    ...compare(inner(wanted), inner(found), `${path}.*`),
  ]
}

function inner({ additionalProperties }: Schema): Schema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}
