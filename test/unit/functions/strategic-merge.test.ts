import { describe, expect, test } from 'vitest'
import { mergePodSpec } from '../../../src/functions/strategic-merge.ts'

const base = {
  restartPolicy: 'Never',
  containers: [
    {
      name: 'container',
      image: 'a',
      command: ['x', 'y'],
      env: [{ name: 'A', value: '1' }],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    },
  ],
  volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c', readOnly: false } }],
}

describe('merging a podOverride', () => {
  test('named lists are merged by their key, new items come first', () => {
    const merged = mergePodSpec(base, {
      containers: [
        { name: 'sidecar', image: 's' },
        {
          name: 'container',
          image: 'b',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '3' },
          ],
        },
      ],
    })

    expect(merged.containers).toEqual([
      { name: 'sidecar', image: 's' },
      {
        name: 'container',
        image: 'b',
        command: ['x', 'y'],
        env: [
          { name: 'B', value: '2' },
          { name: 'A', value: '3' },
        ],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ])
  })

  test('lists without a key are replaced, maps are merged, null removes', () => {
    const merged = mergePodSpec(
      { ...base, tolerations: [{ key: 'a' }], nodeSelector: { a: '1', b: '2' } },
      {
        tolerations: [{ key: 'b' }],
        nodeSelector: { b: null, c: '3' },
        restartPolicy: null,
        containers: [{ name: 'container', command: ['z'] }],
      },
    )

    expect(merged.tolerations).toEqual([{ key: 'b' }])
    expect(merged.nodeSelector).toEqual({ a: '1', c: '3' })
    expect(merged).not.toHaveProperty('restartPolicy')
    expect(merged.containers).toMatchObject([{ command: ['z'], image: 'a' }])
  })

  test('$patch deletes an element, or replaces a list or a map', () => {
    const merged = mergePodSpec(base, {
      containers: [{ $patch: 'replace' }, { name: 'only', image: 'o' }],
      volumes: [{ name: 'v', $patch: 'delete' }],
      securityContext: { $patch: 'replace', runAsUser: 1 },
    })

    expect(merged.containers).toEqual([{ name: 'only', image: 'o' }])
    expect(merged.volumes).toEqual([])
    expect(merged.securityContext).toEqual({ runAsUser: 1 })
  })

  test('$retainKeys switches the source of a volume', () => {
    const merged = mergePodSpec(base, { volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] })

    expect(merged.volumes).toEqual([{ name: 'v', emptyDir: {} }])
  })

  test.each([
    [{ containers: [{ image: 'b' }] }, 'does not contain declared merge key: name'],
    [{ containers: [{ name: 'container', volumeMounts: [{ name: 'v' }] }] }, 'does not contain declared merge key: mountPath'],
    [{ containers: [{ name: 'container', $patch: 'merge' }] }, '$patch must be delete or replace'],
    [{ securityContext: { $patch: 'no' } }, ''],
  ])('%j is refused or cleaned', (patch, message) => {
    if (message === '') expect(mergePodSpec(base, patch).securityContext).toEqual({})
    else expect(() => mergePodSpec(base, patch)).toThrow(message)
  })

  test('neither input is changed', () => {
    const before = structuredClone(base)

    mergePodSpec(base, { containers: [{ name: 'container', image: 'b' }], volumes: null })

    expect(base).toEqual(before)
  })
})
