import { names } from '../api/names.ts'
import { kinds, type Secret } from '../kube/kinds.ts'
import { kubeError } from '../kube/errors.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { isOfPhase, jobLabels, ownerAnnotation, ownersOf } from './job-pod.ts'

/** Creates the short-lived Secret that holds texts of a job pod; one of ours that is there already is brought up to date. */
export async function putScriptSecret(
  ctx: Pick<FunctionContext, 'kube' | 'run' | 'signal'>,
  place: { readonly namespace: string; readonly name: string },
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const secrets = ctx.kube.resource(kinds.secrets)
  const secret = scriptSecret(ctx, place, files)
  try {
    await secrets.create(secret, { signal: ctx.signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const found = await secrets.get(place, { signal: ctx.signal })
    if (!isOfPhase(found.metadata.annotations?.[names.owner], ctx.run)) throw nameTaken('Secret', place)
    await secrets.patch(place, { stringData: files }, { signal: ctx.signal })
  }
}

export function nameTaken(kind: string, place: { readonly namespace: string; readonly name: string }): Error {
  return functionError(
    'FUNCTION_NAME_TAKEN',
    `${kind} "${place.namespace}/${place.name}" exists and was not made for this phase; delete it if nothing needs it`,
  )
}

function scriptSecret(
  { run }: Pick<FunctionContext, 'run'>,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  files: Readonly<Record<string, string>>,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels: jobLabels(run),
      annotations: { [names.owner]: ownerAnnotation(run) },
      ...ownersOf(run, namespace),
    },
    type: 'Opaque',
    stringData: { ...files },
  } as Secret // ownersOf gives whole references; only the optional fields of the type differ.
}
