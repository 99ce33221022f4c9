import { parse, stringify } from 'yaml'

/** A Blueprint with one mistake put into it. */
export interface Mutation {
  readonly kind: string
  readonly what: string
  readonly text: string
}

type Tree = { [key: string]: unknown }
type Random = (below: number) => number

/** The same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One mutation of a kind, or undefined where the Blueprint has nothing for it. */
export type Mutator = (source: string, random: Random) => Omit<Mutation, 'kind'> | undefined

export const mutators: Readonly<Record<string, Mutator>> = {
  'misspelt field of a phase or action': (source, random) =>
    changeTree(source, (tree) => {
      const places = [...phasesOf(tree), ...actionsOf(tree)].flatMap((holder) =>
        Object.keys(holder)
          .filter((key) => fields.includes(key))
          .map((key) => [holder, key] as const),
      )
      const [holder, key] = pick(places, random)
      holder[misspell(key, random)] = holder[key]
      delete holder[key]
      return key
    }),
  'dropped required argument': (source, random) =>
    changeTree(source, (tree) => {
      const places = phasesOf(tree).flatMap((phase) =>
        (required[String(phase['func'])] ?? []).filter((name) => name in argsOf(phase)).map((name) => [phase, name] as const),
      )
      const [phase, name] = pick(places, random)
      delete argsOf(phase)[name]
      return `${String(phase['func'])}.${name}`
    }),
  'misspelt argument': (source, random) =>
    changeTree(source, (tree) => {
      const places = phasesOf(tree).flatMap((phase) => Object.keys(argsOf(phase)).map((name) => [phase, name] as const))
      const [phase, name] = pick(places, random)
      const args = argsOf(phase)
      args[misspell(name, random)] = args[name]
      delete args[name]
      return name
    }),
  'argument is null or of a wrong type': (source, random) =>
    changeTree(source, (tree) => {
      const places = phasesOf(tree).flatMap((phase) =>
        (required[String(phase['func'])] ?? []).filter((name) => name in argsOf(phase)).map((name) => [phase, name] as const),
      )
      const [phase, name] = pick(places, random)
      const wrong = pick([null, { a: { b: 'c' } }, [['a']]], random)
      argsOf(phase)[name] = wrong
      return `${name} = ${JSON.stringify(wrong)}`
    }),
  'misspelt function': (source, random) =>
    changeTree(source, (tree) => {
      const phase = pick(phasesOf(tree), random)
      const before = String(phase['func'])
      phase['func'] = misspell(before, random)
      return `${before} -> ${String(phase['func'])}`
    }),
  'another function': (source, random) =>
    changeTree(source, (tree) => {
      const phase = pick(phasesOf(tree), random)
      const before = String(phase['func'])
      const others = ['KubeExec', 'KubeTask', 'ScaleWorkload', 'BackupData', 'RestoreData', 'DeleteData', 'LocationDelete']
      phase['func'] = pick(
        others.filter((name) => name !== before),
        random,
      )
      return `${before} -> ${String(phase['func'])}`
    }),
  'duplicated phase name': (source, random) =>
    changeTree(source, (tree) => {
      const [phases] = [
        pick(
          actionsOf(tree)
            .map(phaseList)
            .filter((list) => list.length > 1),
          random,
        ),
      ]
      const [first, second] = phases as [Tree, Tree]
      second['name'] = first['name']
      return String(first['name'])
    }),
  'swapped phases': (source, random) =>
    changeTree(source, (tree) => {
      const pairs = actionsOf(tree)
        .map(phaseList)
        .flatMap((list) =>
          list.flatMap((phase, at) => {
            const uses = list.findIndex(
              (later, index) => index > at && JSON.stringify(later).includes(`Phases.${String(phase['name'])}.Output`),
            )
            return uses < 0 ? [] : [[list, at, uses] as const]
          }),
        )
      const [list, at, uses] = pick(pairs, random)
      const kept = list[at] as Tree
      list[at] = list[uses] as Tree
      list[uses] = kept
      return String(kept['name'])
    }),
  'misspelt phase in a reference': (source, random) =>
    changeText(source, /(?<=Phases\.)\w+(?=\.(?:Output|Secrets))/g, (name) => misspell(name, random), random),
  'wrong output key': (source, random) =>
    changeText(source, /(?<=Phases\.\w+\.Output\.)\w+/g, (name) => misspell(name, random), random),
  'misspelt variable': (source, random) =>
    changeText(
      source,
      /(?<=\{\{[^}]*?)\b(?:StatefulSet|Deployment|Profile|Phases|Options|ArtifactsIn|Object|ConfigMaps|Secrets)(?=\.)/g,
      (name) => misspell(name, random),
      random,
    ),
  'misspelt field of a variable': (source, random) =>
    changeText(
      source,
      /(?<=(?:StatefulSet|Deployment|DeploymentConfig|Namespace|Profile|Location)\.)(?:Name|Namespace|Pods|Containers|Location|Bucket|Credential)\b/g,
      (name) => misspell(name, random),
      random,
    ),
  'misspelt artifact or key': (source, random) =>
    changeText(
      source,
      /(?<=ArtifactsIn\.)\w+|(?<=ArtifactsIn\.\w+\.)KeyValue|(?<=KeyValue\.)\w+/g,
      (name) => misspell(name, random),
      random,
    ),
  'misspelt template function': (source, random) =>
    changeText(
      source,
      /\b(?:toJson|toString|toDate|index|upper|replace|base|default|has|lookup|optional)\b(?=[^{}]*\}\})/g,
      (name) => misspell(name, random),
      random,
    ),
  'another case': (source, random) =>
    changeText(
      source,
      /(?<=\{\{[^}]*?\.)(?:StatefulSet|Deployment|Profile|Phases|ArtifactsIn|Name|Namespace|Pods|Bucket|KeyValue|Output|toJson|toString)\b/g,
      (name) => (/^[A-Z]/.test(name) ? name.toLowerCase() : name.toUpperCase()),
      random,
    ),
  'unbalanced braces': (source, random) =>
    changeText(source, /\{\{|\}\}/g, (braces) => pick(['', braces[0] ?? ''], random), random),
  'removed end or pipe': (source, random) =>
    changeText(source, /\{\{-? *end *-?\}\}|\{\{\/(?:if|each)\}\}|(?<=\{\{[^{}]*)\|(?=[^{}]*\}\})/g, () => '', random),
  'broken YAML': (source, random) =>
    changeText(source, /(?<=\n)( +)(?=(?:func|name|args|phases):)/g, (blank) => `${blank.slice(1)}\t`, random),
}

const fields = ['func', 'name', 'args', 'objects', 'phases', 'outputArtifacts', 'inputArtifactNames', 'deferPhase']

/** What an author must know; written down again here, so that the declarations are checked by something else than themselves. */
const required: Readonly<Record<string, readonly string[]>> = {
  KubeExec: ['namespace', 'pod', 'command'],
  KubeTask: ['image', 'command'],
  ScaleWorkload: ['replicas'],
  BackupData: ['namespace', 'pod', 'container', 'includePath', 'backupArtifactPrefix'],
  RestoreData: ['namespace', 'image', 'backupArtifactPrefix'],
  DeleteData: ['namespace', 'backupArtifactPrefix'],
  BackupStream: ['namespace', 'pod', 'command'],
  RestoreStream: ['namespace', 'pod', 'command', 'snapshotID'],
  DeleteStream: ['snapshotID'],
  MultiContainerRun: ['backgroundImage', 'backgroundCommand', 'outputImage', 'outputCommand'],
  BackupDataAll: ['namespace', 'container', 'includePath', 'backupArtifactPrefix'],
  RestoreDataAll: ['namespace', 'image', 'backupArtifactPrefix', 'backupInfo'],
  DeleteDataAll: ['namespace', 'backupArtifactPrefix', 'backupInfo'],
  CreateCSISnapshot: ['pvc', 'namespace', 'snapshotClass'],
  KubeOps: ['operation'],
  Wait: ['timeout', 'conditions'],
  WaitV2: ['timeout', 'conditions'],
  LocationDelete: ['artifact'],
}

function changeTree(source: string, change: (tree: Tree) => string): Omit<Mutation, 'kind'> | undefined {
  const tree = parse(source, { version: '1.1', merge: true }) as Tree
  try {
    const what = change(tree)
    return { what, text: stringify(tree, { aliasDuplicateObjects: false }) }
  } catch (error) {
    if (error instanceof NothingToPick) return undefined
    throw error
  }
}

function changeText(
  source: string,
  pattern: RegExp,
  change: (found: string) => string,
  random: Random,
): Omit<Mutation, 'kind'> | undefined {
  const found = [...source.matchAll(pattern)]
  if (found.length === 0) return undefined
  const match = pick(found, random)
  const changed = change(match[0])
  const line = source.slice(0, match.index).split('\n').length
  return {
    what: `line ${line}: ${JSON.stringify(match[0])} -> ${JSON.stringify(changed)}`,
    text: source.slice(0, match.index) + changed + source.slice(match.index + match[0].length),
  }
}

function misspell(word: string, random: Random): string {
  const at = 1 + random(word.length - 1)
  const [before, character, after] = [word.slice(0, at), word[at] ?? '', word.slice(at + 1)]
  const ways = [before + after, before + character + character + after, `${before}${character === 'q' ? 'z' : 'q'}${after}`]
  return pick(ways, random)
}

class NothingToPick extends Error {}

function pick<T>(items: readonly T[], random: Random): T {
  if (items.length === 0) throw new NothingToPick()
  return items[random(items.length)] as T
}

function actionsOf(tree: Tree): Tree[] {
  return Object.values(tree['actions'] as Tree) as Tree[]
}

function phaseList(action: Tree): Tree[] {
  return (action['phases'] ?? []) as Tree[]
}

function phasesOf(tree: Tree): Tree[] {
  return actionsOf(tree).flatMap((action) => [
    ...phaseList(action),
    ...(action['deferPhase'] ? [action['deferPhase'] as Tree] : []),
  ])
}

function argsOf(phase: Tree): Tree {
  const args = phase['args']
  return typeof args === 'object' && args !== null && !Array.isArray(args) ? (args as Tree) : {}
}
