import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { messageOf } from '../base/errors.ts'
import { kinds } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { judgeBlueprint } from './blueprint.ts'
import { keepCertificate, type KeptCertificate } from './certificate-secret.ts'
import { webhookNames } from './names.ts'
import { keepRegistration } from './registration.ts'
import { type AdmissionServer, startAdmissionServer } from './server.ts'
import type { Verdict } from './verdict.ts'

export interface WebhookDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly clock: Clock
  readonly log: Logger
  /** Of the installation. */
  readonly namespace: string
  readonly watchNamespaces: readonly string[]
  readonly port: number
  /** Names or addresses by which the API server reaches us. @default those of the Service */
  readonly hosts?: readonly [string, ...string[]]
  readonly settings?: Partial<WebhookSettings>
}

export interface WebhookSettings {
  /** Of a certificate; a third before its end the next one is made. @default a year */
  readonly lifetimeMs: number
  /** Between two looks at Secret and configuration. @default 30_000 */
  readonly lookMs: number
  /** Between the word to the API server that there is a new authority and its use. @default 2_000 */
  readonly settleMs: number
}

export interface Webhooks {
  /** Resolves when the server listens, with its port; never rejects. */
  readonly listening: Promise<number>
  close(): Promise<void>
}

const defaults: WebhookSettings = { lifetimeMs: 365 * 86_400_000, lookMs: 30_000, settleMs: 2_000 }
const roundMs = 20_000

/** Answers the API server and keeps the certificate for it, until it is closed. Nothing that fails here ends the process. */
export function startWebhooks(deps: WebhookDeps): Webhooks {
  const webhooks = new RunningWebhooks(deps)
  return { listening: webhooks.listening, close: () => webhooks.close() }
}

class RunningWebhooks {
  readonly listening: Promise<number>
  readonly #deps: WebhookDeps
  readonly #settings: WebhookSettings
  readonly #stop = new AbortController()
  readonly #rounds: Promise<void>
  #announce: (port: number) => void = () => undefined
  #server: AdmissionServer | undefined
  #served: KeptCertificate | undefined
  #trouble = ''

  constructor(deps: WebhookDeps) {
    this.#deps = deps
    this.#settings = { ...defaults, ...deps.settings }
    this.listening = new Promise((resolve) => (this.#announce = resolve))
    this.#rounds = this.#keepOn()
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the webhook is being stopped'))
    await this.#rounds
    await this.#server?.close()
  }

  async #keepOn(): Promise<void> {
    const { clock, log } = this.#deps
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await withDeadline('keeping the webhook', roundMs, signal, (round) => this.#round(round))
        this.#trouble = ''
      } catch (error) {
        // Once for each kind of trouble, not every half minute.
        const trouble = messageOf(error)
        if (!signal.aborted && trouble !== this.#trouble) log.warn({ error: trouble }, 'the webhook is not in order')
        this.#trouble = trouble
      }
      await clock.sleep(this.#settings.lookMs, signal).catch(() => undefined)
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { kube, clock, log, namespace, watchNamespaces, port } = this.#deps
    const names = webhookNames(namespace)
    const kept = await keepCertificate(
      {
        secrets: kube.resource(kinds.secrets),
        clock,
        key: { namespace, name: names.secret },
        hosts: this.#deps.hosts ?? names.hosts,
        lifetimeMs: this.#settings.lifetimeMs,
      },
      signal,
    )
    const registration = { name: names.configuration, bundle: kept.bundle, namespaces: watchNamespaces }
    const state = await keepRegistration(kube.resource(kinds.validatingWebhookConfigurations), registration, signal)
    if (state === 'changed') log.info({ configuration: names.configuration }, 'told the API server about the webhook')
    if (this.#served?.cert === kept.cert) return
    // Whoever serves already goes on with the old certificate until the API server knows the new authority.
    if (this.#server && state === 'changed') await clock.sleep(this.#settings.settleMs, signal)
    await this.#serve(kept, port)
  }

  async #serve(kept: KeptCertificate, port: number): Promise<void> {
    const { log } = this.#deps
    if (this.#server) {
      this.#server.useCertificate(kept)
      log.info({}, 'the webhook has a new certificate')
    } else {
      const judges = { [webhookNames(this.#deps.namespace).blueprintPath]: judgeBlueprint }
      const onAnswer = (request: AdmissionRequest, verdict: Verdict, error?: unknown): void =>
        this.#report(request, verdict, error)
      this.#server = await startAdmissionServer({ port, certificate: kept, judges, onAnswer })
      log.info({ port: this.#server.port }, 'the webhook listens')
      this.#announce(this.#server.port)
    }
    this.#served = kept
  }

  /** Not what was found: it may quote the object. */
  #report({ namespace = '', name = '' }: AdmissionRequest, verdict: Verdict, error: unknown): void {
    const { log } = this.#deps
    const fields = { namespace, blueprint: name }
    if (error !== undefined)
      log.error({ ...fields, error: messageOf(error) }, 'a check at admission failed, the object was let in')
    else if (verdict.refusal !== undefined) log.info(fields, 'a Blueprint was refused')
    else log.debug({ ...fields, warnings: verdict.warnings.length }, 'a Blueprint was let in')
  }
}
