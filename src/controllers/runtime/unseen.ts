import type { Clock } from '../../base/clock.ts'
import type { KubeObject, Live } from '../../kube/objects.ts'
import type { ResourceApi } from '../../kube/resource-api.ts'

/** What the watch has not shown by then may be gone again: then it never shows it. */
const unseenMs = 60_000

interface Made<T> {
  readonly object: Live<T>
  /** When the server said last that it is there. */
  readonly knownMs: number
}

/** Objects of one namespace that we made and that the watch has not shown yet, by name. */
export class Unseen<T extends KubeObject> {
  readonly #resource: Pick<ResourceApi<T>, 'find'>
  readonly #clock: Clock
  readonly #made = new Map<string, Made<T>>()

  constructor(resource: Pick<ResourceApi<T>, 'find'>, clock: Clock) {
    this.#resource = resource
    this.#clock = clock
  }

  made(object: Live<T>): void {
    this.#made.set(object.metadata.name, { object, knownMs: this.#clock.now() })
  }

  /** To be called for each object that the watch shows. */
  seen(name: string): void {
    this.#made.delete(name)
  }

  get(name: string): Live<T> | undefined {
    return this.#made.get(name)?.object
  }

  list(): Live<T>[] {
    return [...this.#made.values()].map(({ object }) => object)
  }

  /** Asks the server for what should have been shown long ago, and forgets what is gone. */
  async check(signal: AbortSignal): Promise<void> {
    for (const { object, knownMs } of [...this.#made.values()]) {
      if (Math.abs(this.#clock.now() - knownMs) < unseenMs) continue
      const { namespace, name } = object.metadata
      const there = await this.#resource.find({ namespace, name }, { signal })
      if (!this.#made.has(name)) continue
      if (there) this.made(there)
      else this.#made.delete(name)
    }
  }
}
