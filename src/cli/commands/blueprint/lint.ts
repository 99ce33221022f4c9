import type { LintFinding } from '../../../lint/finding.ts'
import { lintBlueprintText } from '../../../lint/lint.ts'
import { markedFinding } from './marked-finding.ts'
import type { BlueprintDeps } from './deps.ts'

interface FileFinding extends LintFinding {
  readonly file: string
}

/** Prints what is wrong with each file, and gives the exit code: 1 if any of it is an error. */
export async function lintFiles(files: readonly string[], format: 'text' | 'json', deps: BlueprintDeps): Promise<number> {
  const findings: FileFinding[] = []
  for (const file of files) {
    const found = lintBlueprintText(await deps.readText(file))
    findings.push(...found.map((finding) => ({ file, ...finding })))
  }
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const warnings = findings.length - errors
  if (format === 'json') {
    deps.output.out(`${JSON.stringify({ errors, warnings, findings }, undefined, 2)}\n`)
  } else {
    for (const finding of findings) deps.output.out(`${markedFinding(finding, finding.file)}\n`)
    deps.output.err(`${count(files.length, 'file')}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`)
  }
  return errors > 0 ? 1 : 0
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
