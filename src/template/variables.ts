import { templateParamsType } from './context-types.ts'
import { convertTo } from './go/from-json.ts'
import type { GoValue } from './go/value.ts'

/**
 * What templates see. `TemplateParams` is plain JSON in the shape that Go's encoding/json gives Kanister's struct of that
 * name, so that a Run can keep it as it is; a field left out is Go's zero value (nil pointer, nil map, "").
 * `toGoParams` makes of it the Go values that templates walk.
 */
export interface TemplateParams {
  /** At most one of the three is set: the workload acted on. */
  readonly StatefulSet?: WorkloadParams
  readonly Deployment?: WorkloadParams
  readonly DeploymentConfig?: WorkloadParams
  readonly PVC?: NamedParams
  /** Both fields are the namespace's name. */
  readonly Namespace?: NamedParams
  readonly ArtifactsIn?: Readonly<Record<string, ArtifactParams>>
  readonly ConfigMaps?: Readonly<Record<string, ConfigMapParams>>
  readonly Secrets?: Readonly<Record<string, SecretParams>>
  /** When the action was launched: UTC, RFC 3339 with nanoseconds where there are any (`2026-11-21T09:47:27.657108396Z`). */
  readonly Time?: string
  readonly Profile?: ProfileParams
  readonly Options?: Readonly<Record<string, string>>
  /** The object acted on, as the API server gives it. Integers are int64 in templates, other numbers float64. */
  readonly Object?: JsonObject
  /** By phase name; a phase is here from its start. */
  readonly Phases?: Readonly<Record<string, PhaseParams>>
  readonly DeferPhase?: PhaseParams
  /** Set for functions that render themselves only. */
  readonly CurrentPhase?: PhaseParams
  readonly PodOverride?: JsonObject
  readonly PodAnnotations?: Readonly<Record<string, string>>
  readonly PodLabels?: Readonly<Record<string, string>>
}

export type JsonValue = null | string | number | boolean | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

export interface WorkloadParams {
  readonly Name: string
  readonly Namespace: string
  /** Running pods, by name. */
  readonly Pods?: readonly string[]
  /** Names of the containers of each pod, at the pod's index. */
  readonly Containers?: readonly (readonly string[])[]
  /** Pod name → claim name → mount path. */
  readonly PersistentVolumeClaims?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface NamedParams {
  readonly Name: string
  readonly Namespace: string
}

export interface ArtifactParams {
  readonly keyValue?: Readonly<Record<string, string>>
  readonly kopiaSnapshot?: string
}

/** A phase as later templates see it. */
export interface PhaseParams {
  readonly Secrets?: Readonly<Record<string, SecretParams>>
  readonly ConfigMaps?: Readonly<Record<string, ConfigMapParams>>
  readonly Output?: JsonObject
}

/** A Secret in its usual JSON: values of `data` are base64. Templates see bytes. */
export interface SecretParams extends ObjectParams {
  readonly data?: Readonly<Record<string, string>>
  readonly type?: string
  readonly immutable?: boolean
}

/** A ConfigMap in its usual JSON: values of `binaryData` are base64. */
export interface ConfigMapParams extends ObjectParams {
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
  readonly immutable?: boolean
}

export interface ObjectParams {
  readonly kind?: string
  readonly apiVersion?: string
  /** `metav1.ObjectMeta` in its usual JSON. */
  readonly metadata?: object
}

/** The Profile with its credential looked up. `toJson .Profile` prints this, byte for byte as Kanister does. */
export interface ProfileParams {
  readonly Location: {
    readonly type?: string
    readonly bucket?: string
    readonly endpoint?: string
    readonly prefix?: string
    readonly region?: string
    readonly caBundle?: string
    readonly checksums?: string
    readonly objectLock?: string
  }
  readonly Credential: {
    /** `keyPair`, `secret` or `kopia`; the field of that name is set, the others null. */
    readonly Type: string
    readonly KeyPair?: { readonly ID: string; readonly Secret: string } | null
    readonly Secret?: SecretParams | null
    readonly KopiaServerSecret?: {
      readonly Username: string
      readonly Hostname: string
      readonly Password: string
      readonly Cert: string
      readonly ConnectOptions?: Readonly<Record<string, number>> | null
    } | null
  }
  readonly SkipSSLVerify: boolean
}

/** The params as the struct that Go templates walk. A new value each time: templates can change maps inside of it. */
export function toGoParams(params: TemplateParams): GoValue {
  return convertTo(templateParamsType, params)
}
