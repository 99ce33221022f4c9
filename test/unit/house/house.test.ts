import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * The floor plan of `src`: which room may import which. Every import goes down; `base`, `schema` and `telemetry` may be imported
 * by all that stand above them. A new room gets a line here and says in its README why it earned its place.
 */
const below = {
  base: [],
  schema: ['base'],
  telemetry: ['base', 'schema'],
  retention: ['base', 'schema', 'telemetry'],
  schedule: ['base', 'schema', 'telemetry'],
  api: ['base', 'schema', 'telemetry'],
} as const

const rooms: Readonly<Record<string, readonly string[]>> = {
  ...below,
  store: ['api'],
  kube: ['api'],
  template: ['api'],
  queue: ['api'],
  catalog: ['api', 'store'],
  repository: ['api', 'store'],
  functions: ['api', 'kube', 'store', 'repository', 'template'],
  engine: ['api', 'template', 'functions', 'kube', 'store', 'catalog'],
  controllers: [
    'api',
    'kube',
    'queue',
    'catalog',
    'schedule',
    'retention',
    // A CatalogImport is what `holdfast dr import` does.
    'recovery',
    // Pure knowledge of the Run: what it starts as, whose turn it is, what its end looks like, its picture in status.
    'engine/plan.ts',
    'engine/new-run.ts',
    'engine/turn.ts',
    'engine/queue-policy.ts',
    'engine/queue-entry.ts',
    'engine/queue-request.ts',
    'engine/end-of-run.ts',
    'engine/project.ts',
    'functions/registry.ts',
    // A proof is a restore into another place.
    'recovery',
  ],
  // Reads Blueprints and runs nothing: the declarations of functions and the engine's checks of arguments, not the engine.
  lint: ['api', 'template', 'engine/args.ts', 'functions/registry.ts', 'functions/define.ts', 'functions/removed.ts'],
  // Finds backups and brings them back with the bucket and a key alone; of functions, only where they put things.
  recovery: [
    'api',
    'kube',
    'store',
    'repository',
    'catalog',
    'functions/artifact-prefix.ts',
    'functions/backup-all-info.ts',
    'functions/pod-repository.ts',
  ],
  webhooks: ['api', 'kube', 'template', 'lint', 'engine/plan.ts', 'functions/registry.ts'],
  dashboard: ['api', 'kube', 'catalog'],
  cli: [
    'api',
    'kube',
    'store',
    'repository',
    'catalog',
    'template',
    'schedule',
    'retention',
    'lint',
    'recovery',
    'engine/plan.ts',
    'functions/registry.ts',
  ],
  main: ['*'],
}

/** Packages that one room alone may import. */
const doors: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['queue'],
  croner: ['schedule'],
  ioredis: ['queue'],
  '@aws-sdk/client-s3': ['store'],
  handlebars: ['template'],
  '@kubernetes/client-node': ['kube'],
  commander: ['cli', 'main'],
  '@grpc/grpc-js': ['main'],
}

const root = resolve(import.meta.dirname, '../../..')
const source = join(root, 'src')

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.as.ts'))
  .sort()

const texts = new Map(files.map((file) => [file, readFileSync(join(source, file), 'utf8')]))

const imports: readonly Import[] = files.flatMap((file) =>
  [
    ...(texts.get(file) ?? '').matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
    ),
  ].map((match) => ({ from: file, to: match[1] ?? match[2] ?? '' })),
)

function roomOf(file: string): string {
  return file.split('/')[0] ?? ''
}

function inside(entry: Import): string | undefined {
  return entry.to.startsWith('.') ? relative(source, resolve(source, dirname(entry.from), entry.to)) : undefined
}

describe('the house', () => {
  test('every folder of src is a room of the plan', () => {
    const unknown = [...new Set(files.map(roomOf))].filter((room) => !(room in rooms))

    expect(unknown).toEqual([])
  })

  test('imports between rooms go down, as the plan allows', () => {
    const wrong = imports.flatMap((entry) => {
      const target = inside(entry)
      if (target === undefined || target.startsWith('..')) return []
      const [from, to] = [roomOf(entry.from), roomOf(target)]
      if (from === to || to in below) return isBelow(from, to) || from === to ? [] : [`${entry.from} -> ${target}`]
      const allowed = rooms[from] ?? []
      return allowed.includes('*') || allowed.includes(to) || allowed.includes(target) ? [] : [`${entry.from} -> ${target}`]
    })

    expect(wrong).toEqual([])
  })

  test('nothing in src imports from outside of src', () => {
    const wrong = imports.filter((entry) => inside(entry)?.startsWith('..')).map((entry) => `${entry.from} -> ${entry.to}`)

    expect(wrong).toEqual([])
  })

  test('a package with a door is imported by its own room only', () => {
    const wrong = imports.flatMap((entry) => {
      const keepers = doors[entry.to]
      return keepers && !keepers.includes(roomOf(entry.from)) ? [`${entry.from} -> ${entry.to}`] : []
    })

    expect(wrong).toEqual([])
  })

  test('no file imports itself in a circle', () => {
    const edges = new Map<string, string[]>()
    for (const entry of imports) {
      const target = inside(entry)
      if (target !== undefined && !isTypeOnly(entry)) edges.set(entry.from, [...(edges.get(entry.from) ?? []), target])
    }

    expect(findCircle(edges)).toEqual([])
  })

  test('the environment, the process and the clock come in by the door', () => {
    const wrong = files.filter((file) => {
      const text = stripComments(texts.get(file) ?? '')
      const room = roomOf(file)
      const touchesProcess = room !== 'main' && /\bprocess\.(env|on|once|exit|argv)\b/.test(text)
      const readsClock = file !== 'base/clock.ts' && room !== 'main' && /\bDate\.now\(\)|\bnew Date\(\)/.test(text)
      return touchesProcess || readsClock
    })

    expect(wrong).toEqual([])
  })

  test('every room has a README', () => {
    const without = [...new Set(files.map(roomOf))].filter(
      (room) => !readdirSync(join(source, room)).some((name) => name === 'README.md'),
    )

    expect(without).toEqual([])
  })
})

function isBelow(from: string, to: string): boolean {
  const order = ['base', 'schema', 'telemetry']
  if (!(to in below)) return false
  if (!order.includes(to)) return (rooms[from] ?? []).includes(to) || from === 'main'
  return order.includes(from) ? order.indexOf(to) < order.indexOf(from) : true
}

/** Types are erased: a circle of them costs nothing at run time. */
function isTypeOnly(entry: Import): boolean {
  const text = texts.get(entry.from) ?? ''
  const escaped = entry.to.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
  return new RegExp(String.raw`import type [^'"]*['"]${escaped}['"]`).test(text)
}

function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const next of edges.get(file) ?? []) {
      const circle = walk(next, [...path, file])
      if (circle.length > 0) return circle
    }
    done.add(file)
    return []
  }
  for (const file of edges.keys()) {
    const circle = walk(file, [])
    if (circle.length > 0) return circle
  }
  return []
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:])\/\/.*$/gm, '$1')
}
