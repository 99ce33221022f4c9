import { FunctionError, type TemplateFunction } from '../functions/define.ts'
import { type Caller, type CallSite, type Piped } from './call-site.ts'
import { type Builtin, builtins, callValue } from './builtins.ts'
import { invokeFunction, paramType, wrongCount, type Signature } from './call.ts'
import { constantFor, idealConstant } from './constant.ts'
import type { Execution } from './execution.ts'
import { evaluateFields } from './field.ts'
import type { GoType } from './go-type.ts'
import { type CommandNode, describeNode, type IdentifierNode, type Operand as Node, type PipeNode } from './nodes.ts'
import { anyOperand, assign, assignNil, fromPlace, MisfitError, type Operand, unboxed, valueIn } from './operand.ts'
import { isTrue } from './truth.ts'
import { workOfCall } from './work.ts'

/** Evaluates `$x := a | b`, declares or assigns its variables, gives its value. */
export function evaluatePipe(execution: Execution, dot: Operand, pipe: PipeNode): Operand {
  execution.at(pipe)
  let piped: Piped
  let value: Operand
  for (const command of pipe.commands) {
    if (command !== pipe.commands[0]) piped = { value }
    value = unboxed(evaluateCommand(execution, dot, command, piped))
  }
  for (const variable of pipe.declares) {
    if (pipe.assigns) execution.setVariable(variable.path[0], value)
    else execution.push(variable.path[0], value)
  }
  return value
}

function evaluateCommand(execution: Execution, dot: Operand, command: CommandNode, piped: Piped): Operand {
  execution.step()
  const first = command.args[0]
  const args = command.rest
  switch (first.kind) {
    case 'field':
    case 'chain':
    case 'variable':
      return evaluatePath(execution, dot, first, args, piped)
    case 'identifier':
      return evaluateFunction(execution, dot, first, { name: first.name, node: command, args, piped })
    case 'pipe':
      refuseArguments(execution, first, args, piped)
      return evaluatePipe(execution, dot, first)
  }
  execution.at(first)
  refuseArguments(execution, first, args, piped)
  switch (first.kind) {
    case 'dot':
      return dot
    case 'nil':
      throw execution.error('nil is not a command')
    default:
      return idealConstant(execution, first)
  }
}

function refuseArguments(execution: Execution, node: Node, args: readonly Node[], piped: Piped): void {
  if (args.length === 0 && !piped) return
  throw execution.error(`can't give argument to non-function ${describeNode(node)}`)
}

/** `.A.B`, `$x.A`, `(pipe).A`: a value, then fields; the last may be a method that takes the arguments. */
function evaluatePath(
  execution: Execution,
  dot: Operand,
  node: Extract<Node, { kind: 'field' | 'chain' | 'variable' }>,
  args: readonly Node[],
  piped: Piped,
): Operand {
  execution.at(node)
  const call = { dot, args, piped, invoke: callMethod }
  if (node.kind === 'field') return evaluateFields(execution, dot, node, node.path, 0, call)
  if (node.kind === 'chain') {
    const start = evaluateArgument(execution, dot, undefined, node.node)
    return evaluateFields(execution, start, node, node.path, 0, call)
  }
  const start = execution.getVariable(node.path[0])
  if (node.path.length > 1) return evaluateFields(execution, start, node, node.path, 1, call)
  refuseArguments(execution, node, args, piped)
  return start
}

const callMethod: Caller = (execution, dot, signature, site, call) => {
  checkCount(execution, signature, site)
  const args = evaluateArguments(execution, dot, signature, site)
  return guarded(execution, site, () => call(args))
}

function evaluateFunction(execution: Execution, dot: Operand, node: IdentifierNode, site: CallSite): Operand {
  execution.at(node)
  const library = execution.options.library.get(node.name)
  if (library) return callLibrary(execution, dot, library, site)
  const builtin = builtins.get(node.name)
  if (!builtin) throw execution.error(`${JSON.stringify(node.name)} is not a defined function`)
  checkCount(execution, builtin, site)
  if (site.name === 'and' || site.name === 'or') return evaluateAndOr(execution, dot, site)
  return callBuiltin(execution, dot, builtin, site)
}

function callLibrary(execution: Execution, dot: Operand, fn: TemplateFunction, site: CallSite): Operand {
  checkCount(execution, fn, site)
  const args = evaluateArguments(execution, dot, fn, site)
  chargeFor(execution, site, args)
  return guarded(execution, site, () => fromPlace(fn.result, invokeFunction(fn, execution.options.host, args)))
}

function callBuiltin(execution: Execution, dot: Operand, builtin: Builtin, site: CallSite): Operand {
  const args = evaluateArguments(execution, dot, builtin, site)
  chargeFor(execution, site, args)
  if (site.name !== 'call') return guarded(execution, site, () => builtin.call(args))
  const [callee, ...rest] = args
  const [written] = site.args
  return guarded(execution, site, () => callValue(written ? describeNode(written) : '', callee, rest))
}

function chargeFor(execution: Execution, site: CallSite, args: readonly Operand[]): void {
  execution.charge(workOfCall(site.name, args, execution.stepsLeft))
}

/** They stop at the first value that decides, and evaluate no further. */
function evaluateAndOr(execution: Execution, dot: Operand, site: CallSite): Operand {
  let value: Operand
  for (const arg of site.args) {
    value = evaluateArgument(execution, dot, anyOperand, arg)
    if (isTrue(valueIn(value)) === (site.name === 'or')) return value
  }
  return site.piped ? site.piped.value : value
}

function checkCount(execution: Execution, signature: Signature, site: CallSite): void {
  const given = site.args.length + (site.piped ? 1 : 0)
  const wrong = wrongCount(signature, site.name, given, site.args.length)
  if (wrong !== undefined) throw execution.error(wrong)
}

function evaluateArguments(execution: Execution, dot: Operand, signature: Signature, site: CallSite): readonly Operand[] {
  const args = site.args.map((arg, at) => evaluateArgument(execution, dot, paramType(signature, at), arg))
  const { piped } = site
  if (piped) args.push(fitted(execution, () => assign(piped.value, paramType(signature, args.length))))
  return args
}

/** An argument where a value of `type` is wanted; any, without one. */
function evaluateArgument(execution: Execution, dot: Operand, type: GoType | undefined, node: Node): Operand {
  execution.at(node)
  switch (node.kind) {
    case 'dot':
      return fit(execution, type, dot)
    case 'nil':
      return type ? fitted(execution, () => assignNil(type)) : undefined
    case 'field':
    case 'variable':
    case 'chain':
      return fit(execution, type, evaluatePath(execution, dot, node, [], undefined))
    case 'pipe':
      return fit(execution, type, evaluatePipe(execution, dot, node))
    case 'identifier':
      return fit(execution, type, evaluateFunction(execution, dot, node, { name: node.name, node, args: [], piped: undefined }))
    default:
      if (!type || type === anyOperand || type.kind === 'interface') return idealConstant(execution, node)
      return constantFor(execution, type, node)
  }
}

function fit(execution: Execution, type: GoType | undefined, value: Operand): Operand {
  // What takes anything takes it as it is; most arguments are of that kind.
  if (type === undefined || (type === anyOperand && value !== undefined)) return value
  return fitted(execution, () => assign(value, type))
}

function fitted(execution: Execution, work: () => Operand): Operand {
  try {
    return work()
  } catch (error) {
    if (error instanceof MisfitError) throw execution.error(error.message)
    throw error
  }
}

/** What fails inside of a function is reported at its call. */
function guarded(execution: Execution, site: CallSite, work: () => Operand): Operand {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof FunctionError || error instanceof MisfitError)) throw error
    execution.at(site.node)
    throw execution.error(`error calling ${site.name}: ${error.message}`)
  }
}
