import { allPhases } from '../blueprint-facts.ts'
import type { Draft, Path } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { findPipe, findUnreachable, maskScript } from '../shell-script.ts'
import { argEntries } from '../template-texts.ts'

/** Scripts given to a shell: pipelines that hide failures, lines that never run. */
export const checkScripts: LintRule = ({ actions }) =>
  actions.flatMap(allPhases).flatMap((phase) =>
    argEntries(phase).flatMap(({ name, value, path }) => {
      const script = /command$/i.test(name) && Array.isArray(value) ? scriptOf(value) : undefined
      return script ? checkScript(script, [...path, script.index]) : []
    }),
  )

interface Script {
  readonly text: string
  readonly index: number
  readonly shell: string
  /** What stands before the script. */
  readonly options: string
}

/** `sh -o errexit -c '…'`: the word behind the flag that has a c in it. */
function scriptOf(words: readonly unknown[]): Script | undefined {
  const [program] = words
  if (typeof program !== 'string') return undefined
  const shell = program.split('/').at(-1) ?? ''
  if (!['sh', 'bash', 'ash', 'dash', 'ksh', 'zsh'].includes(shell)) return undefined
  const flag = words.findIndex((word, at) => at > 0 && /^-[a-z]*c[a-z]*$/.test(String(word)) && words[at - 1] !== '-o')
  const text = words[flag + 1]
  if (flag < 0 || typeof text !== 'string') return undefined
  return { text, index: flag + 1, shell, options: words.slice(1, flag + 1).join(' ') }
}

function checkScript({ text, shell, options }: Script, path: Path): readonly Draft[] {
  const masked = maskScript(text)
  const dead = findUnreachable(masked)
  const pipe = /\bpipefail\b/.test(`${options} ${text}`) ? undefined : findPipe(masked)
  const drafts: Draft[] = []
  if (pipe) {
    const dash = shell === 'bash' ? '' : '; older sh of Debian (dash) refuse it: use bash there'
    const message = `only the last command of this pipeline decides: a failure before it is not seen; add "set -o pipefail"${dash}`
    drafts.push({ severity: 'warning', code: 'LINT_PIPEFAIL', message, path, spot: pipe })
  }
  if (dead) {
    const message = 'this line is never reached: the script has ended above'
    drafts.push({ severity: 'warning', code: 'LINT_UNREACHABLE', message, path, spot: dead })
  }
  return drafts
}
