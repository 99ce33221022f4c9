import { randomBytes, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const host = {
  now: () => BigInt(now) * 1_000_000n,
  randomBytes: (count: number) => randomBytes(count),
  env: new Map(),
  lookupHost: () => '',
}

function render(template: string): string {
  return new TemplateRenderer({ library: functionLibrary }).renderGo(template, { data: null, host })
}

test('an authority signs a certificate for names and addresses', () => {
  const [caPem = '', certPem = ''] = render(
    '{{ $ca := genCA "my ca" 30 }}{{ $c := genSignedCert "dbé" (list "10.1.2.3" "fe80::1") (list "db.local" "*.db") 9 $ca }}{{ $ca.Cert }}|{{ $c.Cert }}',
  ).split('|')

  const ca = new X509Certificate(caPem)
  const cert = new X509Certificate(certPem)

  expect(ca.ca).toBe(true)
  expect(ca.checkIssued(ca) && ca.verify(ca.publicKey)).toBe(true)
  expect(cert.checkIssued(ca) && cert.verify(ca.publicKey)).toBe(true)
  expect(cert.ca).toBe(false)
  expect(cert.subject).toBe('CN=dbé')
  expect(cert.issuer).toBe('CN=my ca')
  expect(cert.checkHost('db.local')).toBe('db.local')
  expect(cert.checkIP('10.1.2.3')).toBe('10.1.2.3')
  expect(cert.checkIP('fe80::1')).toBe('fe80::1')
  expect(cert.validFromDate.getTime()).toBe(now)
  expect(cert.validToDate.getTime()).toBe(now + 9 * 86_400_000)
})

test('years from 2050 on are written with four digits', () => {
  const cert = new X509Certificate(render('{{ (genSelfSignedCert "a" nil nil 20000).Cert }}'))

  expect(cert.validToDate.getTime()).toBe(now + 20_000 * 86_400_000)
})

test('an own certificate serves as authority, one that does not fit its key is refused', () => {
  const make = '{{ $a := genCA "a" 9 }}{{ $b := genCA "b" 9 }}'

  expect(
    render(
      `${make}{{ $ca := buildCustomCert (b64enc $a.Cert) (b64enc $a.Key) }}{{ (genSignedCert "c" nil nil 1 $ca).Cert | len | lt 900 }}`,
    ),
  ).toBe('true')
  expect(() => render(`${make}{{ genSignedCert "c" nil nil 1 (buildCustomCert (b64enc $a.Cert) (b64enc $b.Key)) }}`)).toThrow(
    "provided PrivateKey doesn't match parent's PublicKey",
  )
})

test('a template cannot keep the engine busy with keys', () => {
  expect(() => render('{{ range until 1000 }}{{ genPrivateKey "ecdsa" }}{{ end }}')).toThrow('more than 1000000 steps')
})
