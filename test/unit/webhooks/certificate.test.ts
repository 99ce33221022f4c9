import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { kinds } from '../../../src/kube/kinds.ts'
import { certificatesOf, makeServingCertificate } from '../../../src/webhooks/certificate.ts'
import { keepCertificate, type KeptCertificate } from '../../../src/webhooks/certificate-secret.ts'
import { keepRegistration } from '../../../src/webhooks/registration.ts'
import { FakeApi } from '../../build/fake-api.ts'

const day = 86_400_000
const start = Date.UTC(2026, 10, 1)
const never = new AbortController().signal
const hosts = ['holdfast-webhook.ns.svc', '10.1.2.3'] as const

describe('a certificate', () => {
  test('is one that its authority signed, for these hosts and times', () => {
    const made = makeServingCertificate({ hosts, fromMs: start, untilMs: start + 365 * day })
    const [cert, ca] = [new X509Certificate(made.cert), new X509Certificate(made.ca)]

    expect(cert.verify(ca.publicKey)).toBe(true)
    expect(cert.checkIssued(ca)).toBe(true)
    expect(ca.ca).toBe(true)
    expect(cert.ca).toBe(false)
    expect(cert.checkPrivateKey(createPrivateKey(made.key))).toBe(true)
    expect(cert.checkHost('holdfast-webhook.ns.svc')).toBe('holdfast-webhook.ns.svc')
    expect(cert.checkHost('other.ns.svc')).toBeUndefined()
    expect(cert.checkIP('10.1.2.3')).toBe('10.1.2.3')
    expect([cert.validFromDate.getTime(), cert.validToDate.getTime()]).toEqual([start, start + 365 * day])
  })

  test('may live past 2049, where the form of years changes', () => {
    const untilMs = Date.UTC(2055, 0, 1)
    const made = makeServingCertificate({ hosts, fromMs: start, untilMs })

    expect(new X509Certificate(made.cert).validToDate.getTime()).toBe(untilMs)
  })
})

class TurnedClock {
  ms = start
  now = (): number => this.ms
  sleep = (): Promise<void> => Promise.resolve()
}

function aKeeper(api: FakeApi, clock: TurnedClock): () => Promise<KeptCertificate> {
  const secrets = api.kube().resource(kinds.secrets)
  const key = { namespace: 'ns', name: 'tls' }
  return () => keepCertificate({ secrets, clock, key, hosts, lifetimeMs: 90 * day }, never)
}

describe('the Secret of the certificate', () => {
  test('is made once, whoever asks at the same time', async () => {
    const api = new FakeApi()
    const clock = new TurnedClock()

    const all = await Promise.all(Array.from({ length: 4 }, () => aKeeper(api, clock)()))

    expect(new Set(all.map(({ cert }) => cert)).size).toBe(1)
  })

  test('gets a new certificate a third before the end, and the old authority stays in the bundle', async () => {
    const api = new FakeApi()
    const clock = new TurnedClock()
    const keep = aKeeper(api, clock)
    const first = await keep()

    clock.ms += 59 * day
    const kept = await keep()
    clock.ms += 2 * day
    const [second, other] = await Promise.all([keep(), aKeeper(api, clock)()])

    expect(kept.cert).toBe(first.cert)
    expect(second.cert).not.toBe(first.cert)
    expect(other.cert).toBe(second.cert)
    expect(certificatesOf(second.bundle)).toHaveLength(2)
    const trusted = (cert: string): boolean =>
      certificatesOf(second.bundle).some((ca) => new X509Certificate(cert).checkIssued(new X509Certificate(ca)))
    expect([trusted(first.cert), trusted(second.cert)]).toEqual([true, true])
  })

  test('an authority that has ended leaves the bundle', async () => {
    const api = new FakeApi()
    const clock = new TurnedClock()
    const keep = aKeeper(api, clock)
    await keep()

    clock.ms += 100 * day
    const { bundle } = await keep()

    expect(certificatesOf(bundle)).toHaveLength(1)
  })

  test.each(['tls.crt', 'tls.key', 'ca.crt'])('a broken %s is made anew', async (field) => {
    const api = new FakeApi()
    const keep = aKeeper(api, new TurnedClock())
    const first = await keep()
    const secrets = api.kube().resource(kinds.secrets)
    await secrets.patch({ namespace: 'ns', name: 'tls' }, { data: { [field]: Buffer.from('x').toString('base64') } })

    const next = await keep()

    expect(next.cert).not.toBe(first.cert)
    expect(await keep()).toEqual(next)
  })
})

describe('the configuration of the API server', () => {
  const bundle = makeServingCertificate({ hosts, fromMs: start, untilMs: start + day }).ca
  const wanted = { name: 'holdfast-webhook.ns', bundle, namespaces: ['ns', 'more'] }

  test('that is not there is not made', async () => {
    const configurations = new FakeApi().kube().resource(kinds.validatingWebhookConfigurations)

    expect(await keepRegistration(configurations, wanted, never)).toBe('absent')
  })
})
