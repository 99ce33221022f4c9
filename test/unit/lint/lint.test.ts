import { describe, expect, test } from 'vitest'
import { lintBlueprint, lintBlueprintText } from '../../../src/lint/lint.ts'

/** A phase in an action of a Blueprint, as YAML; lines of the phase begin at line 9. */
function inPhase(lines: readonly string[], language = 'GoTemplate'): string {
  return [
    'apiVersion: cr.kanister.io/v1alpha1',
    'kind: Blueprint',
    'metadata: { name: sample }',
    `templateLanguage: ${language}`,
    'actions:',
    '  backup:',
    '    kind: StatefulSet',
    '    phases:',
    ...lines.map((line) => `      ${line}`),
  ].join('\n')
}

function withCommand(...words: string[]): string {
  const command = words.map((word) => JSON.stringify(word)).join(', ')
  return inPhase(['- func: KubeTask', '  name: a', '  args:', '    image: i', `    command: [${command}]`])
}

function found(text: string): string[] {
  return lintBlueprintText(text).map(({ severity, code, line, column }) => `${severity} ${code} ${line}:${column}`)
}

function messages(text: string): string {
  return lintBlueprintText(text)
    .map((finding) => finding.message)
    .join('\n')
}

describe('places', () => {
  test('a template in a block text is found in its own line of the YAML', () => {
    const text = inPhase([
      '- func: KubeTask',
      '  name: a',
      '  args:',
      '    image: i',
      '    command:',
      '      - sh',
      '      - -c',
      '      - |',
      '        echo one',
      '',
      '          echo {{ .StatefulSet.Nam }}',
    ])

    expect(lintBlueprintText(text)).toMatchObject([
      {
        severity: 'error',
        code: 'LINT_VARIABLE',
        where: 'actions.backup.phases[0].args.command[2]',
        line: 19,
        column: 25,
        source: '                echo {{ .StatefulSet.Nam }}',
        message: '"StatefulSet" has no field "Nam"; did you mean Name?',
      },
    ])
  })

  test('quotes, folds and anchors do not lose the place', () => {
    const text = inPhase([
      '- func: KubeTask',
      '  name: a',
      '  args:',
      '    image: "it\\u0027s {{ .Imag }}"',
      "    namespace: 'it''s {{ .Nams }}'",
      '    command: &words',
      '      - >-',
      '        folded',
      '        {{ .Fold }}',
      '- { func: KubeTask, name: b, args: { image: i, command: *words } }',
    ])

    expect(found(text)).toEqual([
      'error LINT_VARIABLE 12:32',
      'error LINT_VARIABLE 13:32',
      'error LINT_VARIABLE 17:18',
      'error LINT_VARIABLE 17:18',
    ])
  })

  test('an object has paths, and lines in its texts, instead of lines of a file', () => {
    const blueprint = {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'Blueprint',
      metadata: { name: 'b' },
      actions: { 'a.b': { phases: [{ func: 'KubeTask', name: 'x', args: { image: '{{ .Tim }}', command: ['true'] } }] } },
    }

    expect(lintBlueprint(blueprint)).toEqual([
      {
        severity: 'error',
        code: 'LINT_VARIABLE',
        where: 'actions."a.b".phases[0].args.image',
        message: 'templates have no field "Tim"; did you mean Time?',
        path: ['actions', 'a.b', 'phases', 0, 'args', 'image'],
        inText: { line: 1, column: 4 },
      },
    ])
  })
})

describe('what is no Blueprint', () => {
  test.each([
    ['', 'LINT_NOT_BLUEPRINT'],
    ['a: [', 'LINT_YAML'],
    ['a: 1\na: 2', 'LINT_YAML'],
    ['just text', 'LINT_NOT_BLUEPRINT'],
    ['kind: ConfigMap\napiVersion: v1', 'LINT_NOT_BLUEPRINT'],
    [
      'kind: Blueprint\napiVersion: v1\nmetadata: {name: a}\nactions: {a: {phases: [{func: KubeTask, name: a, args: {image: a, command: [a]}}]}}',
      'LINT_NOT_BLUEPRINT',
    ],
  ])('%j is one finding', (text, code) => {
    expect(lintBlueprintText(text).map((finding) => finding.code)).toEqual([code])
  })

  test.each([
    ['a circle', 'kind: Blueprint\na: &a { b: *a }'],
    [
      'a giant',
      [
        'a: &a [x, x]',
        ...Array.from(
          { length: 30 },
          (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]`,
        ),
      ].join('\n'),
    ],
    ['a well', `a: ${'['.repeat(100_000)}`],
  ])('%s of a text is one finding too', (_name, text) => {
    expect(lintBlueprintText(text).map((finding) => finding.code)).toContain('LINT_YAML')
  })

  test.each([
    'actions: 3',
    'actions: {a: null}',
    'actions: {a: {phases: 4}}',
    'actions: {a: {phases: [7, null, {args: 5, objects: [x]}]}}',
  ])('a Blueprint with %s is looked at without a crash', (actions) => {
    const text = `apiVersion: cr.kanister.io/v1alpha1\nkind: Blueprint\nmetadata: {name: a}\n${actions}`

    expect(lintBlueprintText(text).some((finding) => finding.severity === 'error')).toBe(true)
  })
})

describe('functions and arguments', () => {
  test('a misspelt function, argument and field each come with what was meant', () => {
    const text = inPhase([
      '- func: KubeTsk',
      '  name: a',
      '- func: KubeTask',
      '  nam: b',
      '  name: b',
      '  args: { image: i, comand: [a], command: [b] }',
    ])

    expect(messages(text)).toContain('there is no function "KubeTsk"; did you mean KubeTask?')
    expect(messages(text)).toContain('has no field "nam"; did you mean name?')
    expect(messages(text)).toContain('KubeTask has no argument "comand"; did you mean command?')
  })

  test('a function of Kanister that is not here is a warning, one that nobody has any more an error with advice', () => {
    const text = inPhase([
      '- { func: CreateRDSSnapshot, name: a, args: { instanceID: i } }',
      '- { func: CreateVolumeSnapshot, name: b, args: { namespace: ns } }',
    ])

    expect(found(text)).toEqual(['warning LINT_FUNCTION_NOT_OFFERED 9:17', 'error LINT_FUNCTION 10:17'])
    expect(messages(text)).toContain('use CSI snapshots or BackupData')
  })

  test('the positional form of 2018 is as good as names', () => {
    expect(found(inPhase(['- { func: KubeExec, name: a, args: [ns, pod, container, ls, -l] }']))).toEqual([])
  })

  test('rules across arguments hold whatever a template gives', () => {
    const restore = (args: string): string =>
      inPhase([`- { func: RestoreData, name: a, args: { namespace: ns, image: i, backupArtifactPrefix: p, ${args} } }`])

    expect(found(restore('pod: p'))).toEqual(['error LINT_ARGUMENT 9:45'])
    expect(found(restore("pod: p, backupTag: '{{ .Options.tag }}'"))).toEqual([])
    expect(found(restore("pod: p, backupTag: a, backupIdentifier: '{{ .Options.tag }}'"))).toEqual(['error LINT_ARGUMENT 9:45'])
  })
})

describe('what stands deeper', () => {
  test('a data variable of Handlebars that there is not is an error, inside of a loop and outside', () => {
    const image = (template: string): string =>
      inPhase(['- func: KubeTask', '  name: a', '  args:', `    image: '${template}'`, '    command: [x]'], 'Handlebars')

    expect(messages(image('{{#each StatefulSet.Pods}}{{#if @frist}}{{this}}{{/if}}{{/each}}'))).toContain('no "@frist" here')
    expect(messages(image('{{@index}}'))).toContain('no "@index" here; there is @root')
    expect(found(image('{{#each StatefulSet.Pods}}{{#if @first}}{{this}}{{@index}}{{/if}}{{/each}}{{@root.Time}}'))).toEqual([])
  })

  const phase = (reference: string): string => inPhase(['- func: KubeOps', '  name: a', '  args:', `    ${reference}`])

  test('a misspelt field within an argument is an error, one like no other a warning', () => {
    const misspelt = phase('{ operation: delete, objectReference: { apiVersion: v1, resource: pods, name: a, namespacce: b } }')
    const unlike = phase('{ operation: delete, objectReference: { apiVersion: v1, resource: pods, name: a, colour: red } }')

    expect(messages(misspelt)).toContain('has no field "namespacce"; did you mean namespace?')
    expect(found(misspelt)).toEqual(['error LINT_ARGUMENT 12:92'])
    expect(found(unlike)).toEqual(['warning LINT_ARGUMENT 12:92'])
  })

  test('an output that its phase never gives is an error in a deferred phase, too', () => {
    const text = [
      inPhase(['- func: KubeOps', '  name: made', '  args: { operation: create, spec: x }']),
      '    deferPhase:',
      '      func: KubeOps',
      '      name: gone',
      '      args: { operation: delete, objectReference: { apiVersion: v1, resource: pods, name: "{{ .Phases.made.Output.nmae }}" } }',
    ].join('\n')

    expect(messages(text)).toContain('has no output "nmae"; did you mean name?')
  })
})

describe('what templates ask for', () => {
  test.each([
    ['{{ .Phases.b.Output.x }}', 'runs later'],
    ['{{ .Phases.a.Output.x }}', 'before it has run'],
    ['{{ .Phases.c.Output.x }}', 'has no phase "c"'],
    ['{{ (index .Phases "c").Output.x }}', 'has no phase "c"'],
    ['{{ .Phases.a.Secrets.s.Data.x }}', 'declares no Secret "s"'],
    ['{{ .Deployment.Name }}', 'meant for a statefulset'],
    ['{{ .ArtifactsIn.x.KeyValue.y }}', 'not among the inputArtifactNames'],
    ['{{ .Object.metadata.nam }}', 'did you mean name'],
    ['{{ .StatefulSet.Pods.x }}', 'of type []string'],
    ['{{ .Options.x toString }}', 'nothing may follow it'],
    ['{{ toStrin .Options.x }}', 'did you mean toString'],
    ['{{ StatefulSet.Name }}', 'written .StatefulSet'],
    ['{{ trunc 3 }}', 'wrong number of args'],
    ['{{ trunc "3" .Time }}', 'wrong type for an argument of trunc: "3" is of type string, it takes int'],
    ['{{ .Profile.Credential.Secret.Data.key | b64enc }}', 'bytes become text by toString'],
    ['{{ .StatefulSet.Pods | upper }}', '.StatefulSet.Pods is of type []string'],
    ['{{ if false }}a{{ else }}b{{ end }}', 'has no effect'],
    ['{{ range .StatefulSet.Pods }}{{ break }}x{{ end }}', 'has no effect'],
    ['{{ .Options.x }', 'unexpected'],
    ['{{ if .Options.x }}', 'unexpected EOF'],
    ['.Options.x }}', 'without a "{{"'],
  ])('%s is found', (template, said) => {
    const text = inPhase([
      `- { func: KubeTask, name: a, args: { image: ${JSON.stringify(template)}, command: [x] } }`,
      '- { func: KubeTask, name: b, args: { image: i, command: [x] } }',
    ])

    expect(messages(text)).toContain(said)
  })

  test.each([
    '{{ index .Options "x" }}',
    '{{ if .Deployment }}{{ .Deployment.Name }}{{ end }}',
    '{{ with .StatefulSet }}{{ .Name }}{{ end }}',
    '{{ range $i, $p := .StatefulSet.Pods }}{{ $i }}{{ $p }}{{ end }}',
    '{{ .Object.spec.anything.at.all }}',
    '{{ .Profile.Location.Bucket }}{{ .Time }}',
    '{{ .StatefulSet.Pods | join "," | trunc 3 | upper | repeat 2 }}{{ len .Options | add 1 }}{{ .Object.x | int | mul 2 }}',
    '${VAR:-${OTHER}}',
  ])('%s is fine', (template) => {
    const text = inPhase([`- { func: KubeTask, name: a, args: { image: ${JSON.stringify(template)}, command: [x] } }`])

    expect(found(text)).toEqual([])
  })

  test('Handlebars has the same names, and a hint for who writes Go', () => {
    const image = (template: string): string =>
      messages(
        inPhase([`- { func: KubeTask, name: a, args: { image: ${JSON.stringify(template)}, command: [x] } }`], 'Handlebars'),
      )

    expect(image('{{StatefulSet.Nam}}')).toContain('did you mean Name?')
    expect(image('{{ .StatefulSet.Name }}')).toContain('Go templates')
    expect(image('{{#if true}}a{{/if}}')).toContain('has no effect')
    expect(image('{{#if (has Options "x")}}{{Options.x}}{{/if}}{{default "1" (optional Options.y)}}')).toBe('')
  })

  test('references to objects are rendered before any phase', () => {
    const text = inPhase([
      '- func: KubeTask',
      '  name: a',
      "  objects: { s: { kind: Secret, namespace: ns, name: '{{ .Phases.a.Output.x }}' } }",
      '  args: { image: i, command: [x] }',
    ])

    expect(found(text)).toEqual(['error LINT_PHASE_REFERENCE 11:64'])
  })

  test('outputs that a script prints are known, and a slip of the pen in them', () => {
    const text = (key: string): string =>
      inPhase([
        '- { func: KubeTask, name: a, args: { image: i, command: [sh, -c, "kando output backupPath x"] } }',
        `- { func: KubeTask, name: b, args: { image: '{{ .Phases.a.Output.${key} }}', command: [x] } }`,
      ])

    expect(found(text('backupPath'))).toEqual([])
    expect(found(text('backupPat'))).toEqual(['error LINT_OUTPUT 10:55'])
    expect(found(text('other'))).toEqual(['warning LINT_OUTPUT 10:55'])
  })
})

describe('scripts and secrets', () => {
  test('a secret on a command line is a warning', () => {
    expect(found(withCommand('kando', '--profile', '{{ toJson .Profile }}'))).toEqual(['warning LINT_SECRET 13:54'])
    expect(found(withCommand('echo', '{{ .Profile.Location.Bucket }}'))).toEqual([])
  })

  test('a pipeline without pipefail is a warning', () => {
    expect(found(withCommand('sh', '-ec', 'dump | gzip'))).toEqual(['warning LINT_PIPEFAIL 13:40'])
    expect(found(withCommand('bash', '-o', 'pipefail', '-c', 'dump | gzip'))).toEqual([])
    expect(found(withCommand('bash', '-c', 'set -euo pipefail\ndump | gzip'))).toEqual([])
    expect(
      found(withCommand('sh', '-c', 'a || b # c | d\necho \'x | y\' "{{ .Time | upper }}"\ncase $1 in a|b) ;; esac')),
    ).toEqual([])
    expect(found(withCommand('sh', '-c', 'cat <<END\na | b\nEND\ntrue'))).toEqual([])
  })

  test('lines behind the end of a script are a warning', () => {
    expect(found(withCommand('sh', '-c', 'exec dump\nrm x'))).toEqual(['warning LINT_UNREACHABLE 13:45'])
    expect(
      found(
        withCommand(
          'sh',
          '-c',
          'if x; then\n  exit 1\nfi\ncase a in\n  b) exit 0 ;;\nesac\nf() {\n  exit 1\n}\nexec 3>&1\nexit 0',
        ),
      ),
    ).toEqual([])
  })
})
