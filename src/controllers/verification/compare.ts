import type { Artifact } from '../../api/artifact.ts'
import type { VerificationStatus } from '../../api/verification.ts'
import type { Outcome } from './progress.ts'

type Artifacts = Readonly<Record<string, Artifact>>
type Compared = NonNullable<VerificationStatus['compared']>

const longestValue = 200
const mostValues = 100
const secret = /pass(word|phrase)?|secret|token|credential|private/i

/** Figures that the restored data gave, against those of the backup: by artifact and key, where both have them. Pure. */
export function compare(recorded: Artifacts, found: Artifacts): Outcome {
  const compared: Compared = {}
  const unequal: string[] = []
  const alone: string[] = []
  for (const [artifact, { keyValue: values = {} }] of Object.entries(found))
    for (const [key, value] of Object.entries(values)) {
      const name = `${artifact}.${key}`
      const before = recorded[artifact]?.keyValue?.[key]
      if (before === undefined) {
        alone.push(name)
        continue
      }
      const shown = { recorded: show(name, before), found: show(name, value) }
      if (Object.keys(compared).length < mostValues) Object.assign(compared, { [name]: shown })
      if (before !== value) unequal.push(`${name} was ${shown.recorded} at the backup and is ${shown.found} after the restore`)
    }
  const count = Object.keys(compared).length
  if (unequal.length > 0) {
    const message = `what was restored is not what was backed up: ${unequal.join('; ')}`
    return { state: 'failed', message, disproved: true, compared }
  }
  const nothing = count === 0 ? 'the action succeeded; it gives no figure that the backup has too, so nothing was compared' : ''
  const rest = alone.length > 0 && count > 0 ? `not compared, since the backup has none: ${alone.join(', ')}` : ''
  return { state: 'complete', ...(nothing || rest ? { message: nothing || rest } : {}), ...(count > 0 ? { compared } : {}) }
}

function show(name: string, value: string): string {
  if (secret.test(name)) return '***'
  return value.length > longestValue ? `${value.slice(0, longestValue)}… (${value.length} characters)` : value
}
