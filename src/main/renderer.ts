import { createHmac } from 'node:crypto'
import type { Artifacts } from '../api/artifact.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import type { Clock } from '../base/clock.ts'
import type { RenderScope, Renderer } from '../engine/renderer.ts'
import type { TemplateHost } from '../template/functions/define.ts'
import { type Arg, type RenderOptions, TemplateRenderer } from '../template/render.ts'
import { functionLibrary } from '../template/functions/registry.ts'
import { HandlebarsRenderer } from '../template/handlebars/renderer.ts'

/** The template room as the engine sees it. One per process: it holds the parsed templates. */
export function createRenderer(clock: Clock): Renderer {
  const templates = new TemplateRenderer({ library: functionLibrary, handlebars: new HandlebarsRenderer() })
  const options = (scope: RenderScope, what: string): RenderOptions => ({
    dialect: scope.language,
    host: seededHost(clock, `${scope.seed}/${Object.keys(scope.params.Phases ?? {}).length}/${what}`),
  })
  return {
    text: (template, scope) => attempt(() => templates.renderString(template, scope.params, options(scope, template))),
    // Both sides are JSON; the template room says so by a type of its own.
    args: (args, scope) =>
      attempt(() => templates.renderArgs(args as Record<string, Arg>, scope.params, options(scope, JSON.stringify(args)))),
    references: (refs, scope) =>
      attempt(
        () =>
          (templates.renderObjectRefs(refs, scope.params, options(scope, 'objects')) ?? {}) as Record<string, ObjectReference>,
      ),
    artifacts: (artifacts, scope) =>
      attempt(() => templates.renderArtifacts(artifacts, scope.params, options(scope, 'artifacts')) as Artifacts),
    condition: (language, condition, scope) => {
      templates.checkCondition(language, condition)
      const { host } = options(scope, condition)
      const given = host ? { host } : {}
      return language === 'Wait'
        ? (object) => templates.renderWaitCondition(condition, object, given).met
        : (object) => templates.renderWaitV2Condition(condition, object, given).met
    },
  }
}

function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}

/**
 * Random choices come from the Run's seed and from what is rendered, so that a resume renders the same. Kanister lets templates read
 * the environment of its controller and look up names; here they see neither: what stands there (addresses, passwords of the
 * queue) is no business of a Blueprint.
 */
function seededHost(clock: Clock, seed: string): TemplateHost {
  let counter = 0
  return {
    now: () => BigInt(clock.now()) * 1_000_000n,
    randomBytes: (count) => {
      const blocks: Buffer[] = []
      for (let have = 0; have < count; have += 32) blocks.push(createHmac('sha256', seed).update(String(counter++)).digest())
      return Buffer.concat(blocks).subarray(0, count)
    },
    env: new Map(),
    lookupHost: () => '',
  }
}
