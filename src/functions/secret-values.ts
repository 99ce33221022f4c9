import type { PhaseParams, ProfileParams, SecretParams, TemplateParams } from '../template/variables.ts'
import { goJson } from '../base/go-json.ts'

/** The secrets that an action's templates could see, to keep them out of pod specs, logs and error texts. */
export interface SecretValues {
  /** True if a secret stands in `text`, plain, as base64, or as JSON prints it. Errs on the side of yes. */
  isIn(text: string): boolean
  /** `text` with each secret of at least 6 characters masked. */
  redact(text: string): string
}

/** Values shorter than this would match by accident everywhere. */
const shortestHidden = 3
const shortestRedacted = 6
const shortestLine = 16

/** Fields of Secrets that name a thing rather than protect it; masking `postgres` in a log would hide the log. */
const plainFields =
  /^(.*[-_.])?(user|username|userid|host|hostname|port|db|dbname|database|endpoint|region|bucket|type|url-scheme|role|ca\.crt|tls\.crt)$/i

export function secretValuesOf(params: TemplateParams): SecretValues {
  const secrets = [...secretsOf(params)]
  const hidden = spellings(
    secrets.flatMap((secret) => valuesOf(secret, () => true)).concat(keysOf(params.Profile)),
    shortestHidden,
  )
  const masked = spellings(
    secrets
      .flatMap((secret) => valuesOf(secret, (field) => !plainFields.test(field)).flatMap(withLines))
      .concat(keysOf(params.Profile).slice(1).flatMap(withLines)),
    shortestRedacted,
  )
  return {
    isIn: (text) => hidden.some((value) => text.includes(value)),
    redact: (text) => masked.reduce((out, value) => (out.includes(value) ? out.replaceAll(value, '<redacted>') : out), text),
  }
}

function* secretsOf(params: TemplateParams): Generator<SecretParams> {
  yield* Object.values(params.Secrets ?? {})
  const phases: Array<PhaseParams | undefined> = [...Object.values(params.Phases ?? {}), params.DeferPhase]
  for (const phase of phases) yield* Object.values(phase?.Secrets ?? {})
  if (params.Profile?.Credential.Secret) yield params.Profile.Credential.Secret
}

function valuesOf(secret: SecretParams, wanted: (field: string) => boolean): string[] {
  return Object.entries(secret.data ?? {})
    .filter(([field]) => wanted(field))
    .map(([, value]) => Buffer.from(value, 'base64').toString('utf8'))
}

/** Output comes line by line, so a key or a file of several lines is known by each of them. Short ones, such as braces and `-----END`, are no secret. */
function withLines(value: string): string[] {
  const lines = value.split('\n').map((line) => line.trim())
  return lines.length < 2
    ? [value]
    : [value, ...lines.filter((line) => line.length >= shortestLine && !line.startsWith('-----'))]
}

/** The id first, then what must never be shown. */
function keysOf(profile: ProfileParams | undefined): string[] {
  const { KeyPair: pair, KopiaServerSecret: kopia } = profile?.Credential ?? {}
  return [pair?.ID ?? '', pair?.Secret ?? '', kopia?.Password ?? '']
}

/** As templates may print a value: as it is, trimmed, in JSON, in base64. Longest first, so that a part never breaks a whole. */
function spellings(values: readonly string[], shortest: number): string[] {
  const out = new Set<string>()
  for (const value of values) {
    for (const form of [value, value.trim()]) {
      if (form.length < shortest) continue
      out
        .add(form)
        .add(goJson(form).slice(1, -1))
        .add(JSON.stringify(form).slice(1, -1))
        .add(Buffer.from(form).toString('base64'))
    }
  }
  return [...out].sort((a, b) => b.length - a.length)
}
