import type { ObjectReference } from '../api/object-reference.ts'
import type { PhaseProgress } from '../api/actionset.ts'
import type { Clock } from '../base/clock.ts'
import type { Kube } from '../kube/kube.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import type { TemplateParams } from '../template/variables.ts'
import type { ConditionLanguage } from '../template/wait.ts'
import type { Repositories } from './repositories.ts'

/** Everything a phase function may touch. One value per attempt of a phase. */
export interface FunctionContext {
  readonly kube: Kube
  readonly clock: Clock
  readonly log: Logger
  /**
   * Aborted on cancel, shutdown, deadline or loss of the fence. On shutdown the reason is an error of code RUN_SHUTDOWN, on loss of
   * the fence RUN_FENCED: another attempt takes over, so what it can adopt is left running (`handover.ts`).
   */
  readonly signal: AbortSignal
  /** What the templates saw: for defaults that come from the object acted on. */
  readonly params: TemplateParams
  readonly run: RunIdentity
  readonly pods: PodSettings
  readonly engine: EngineIdentity
  /** The resolved Profile of the action; throws FUNCTION_NO_PROFILE naming the function when there is none. */
  profile(): ResolvedProfile
  /** The store of the action's Profile, without its prefix (see `Repositories` and 1.13 of Kanister's layout). */
  openStore(): Promise<ObjectStore>
  readonly repositories: Repositories
  /** Written by the engine to Run and status at its own pace; call it as often as you like. */
  progress(
    progress: Pick<PhaseProgress, 'progressPercent' | 'sizeUploadedB' | 'sizeDownloadedB' | 'estimatedUploadSizeB'>,
  ): void
  /** Resolves when the Run holds `state`: call it BEFORE the side effect that it describes. Rejects when the fence is lost. */
  checkpoint(state: unknown): Promise<void>
  /**
   * Work for after the end of the phase stands in the Run, well or not: removal of what a resume would have needed. Not done when this
   * attempt loses the action. It must not throw, is not waited for, and may be cut short by the end of the process.
   */
  afterwards(work: () => Promise<void>): void
  /**
   * Resolves when the API server has said within the last seconds that the phase is still this attempt's; rejects when it is not. To be asked at the last moment
   * before something that cannot be taken back and that no derived name keeps from happening twice: this process may have slept since its last write.
   * With `anew` the server is asked now, whatever it said a moment ago, for at most `timeoutMs`.
   */
  confirm(anew?: { readonly timeoutMs: number }): Promise<void>
  /**
   * Resolves when whoever had the phase before this attempt can begin nothing more: within some seconds of a takeover, at once later. To be awaited
   * before a resumed phase removes what has a derived name: an attempt that slept would begin it once more.
   */
  untilAlone(signal?: AbortSignal): Promise<void>
  /** The last checkpoint of an earlier attempt, when this attempt resumes it. */
  readonly resumed: unknown
  /** Noted in the Run, in status and as an Event; nothing fails. */
  warn(message: string): void
  /** Renders a text with the action's variables (for functions that render themselves). */
  render(template: string): Promise<string>
  /**
   * The test that a condition of Wait or WaitV2 puts to an object of the API server. Throws TEMPLATE_PARSE at once for one that is not
   * well formed; the test throws TEMPLATE_* for an object that it cannot be put to, such as one without status.
   */
  condition(language: ConditionLanguage, condition: string): (object: unknown) => boolean
  /** A name for an object of this attempt: `<prefix><hash of UID, action, phase, attempt>`, at most 63 characters. */
  deriveName(prefix: string): string
  /** The names that the tries of the phase before this one had in its place, oldest first; of a first try none. */
  earlierNames(prefix: string): readonly string[]
}

/** Which phase of which ActionSet this is. */
export interface RunIdentity {
  readonly namespace: string
  readonly actionSetName: string
  readonly actionSetUid: string
  /** The Run of the ActionSet owns pods made in its namespace: it outlives a deleted ActionSet until the deferred phase ran. */
  readonly runRef?: { readonly name: string; readonly uid: string }
  readonly actionSetLabels: Readonly<Record<string, string>>
  readonly actionIndex: number
  readonly actionName: string
  readonly phaseName: string
  readonly attempt: number
  readonly object: ObjectReference
}

/** What the ActionSet says about pods that functions make. */
export interface PodSettings {
  readonly override?: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** The installation that runs the phase. */
export interface EngineIdentity {
  /** UID of the installation's namespace; the same as long as the installation lives. */
  readonly installationId: string
  /** Kanister's "controller namespace": where job pods go when no namespace is given. */
  readonly namespace: string
  readonly serviceAccount?: string
  /** Our own image: used wherever Kanister would use its tools image. */
  readonly image: string
  readonly secureDefaults: boolean
  readonly podReadyTimeoutMs: number
  /** Pods are ended by the cluster after this time, should everything that watches them be gone. @default 24 h */
  readonly podDeadlineMs?: number
}
