import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { resolve } from 'node:path'
import { messageOf } from '../../../base/errors.ts'
import { cliError } from '../../../cli/errors.ts'
import type { OutputName, ServeOptions } from '../../../cli/kando/process/processes.ts'
import { Children } from './children.ts'
import { largestMessageBytes, processService } from './service.ts'
import type { ProcessPidRequest } from './wire.ts'

/** From the end of the processes to the end of the connections. */
const farewellMs = 2000

/**
 * Serves process-service.proto at a unix socket until the signal. There is no other authentication than the socket's mode, as in Kanister: who
 * may connect runs commands as this user, so that is this user (and root) alone.
 */
export async function serveProcesses(address: string, { log, signal }: ServeOptions): Promise<void> {
  const path = resolve(address)
  await makeRoom(path)
  const children = await Children.open(log)
  const server = new Server({ 'grpc.max_receive_message_length': largestMessageBytes })
  try {
    addCalls(server, children, signal)
    await listen(server, path)
    log('listening', { address: path })
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    await children.close()
    await shutDown(server)
    await rm(path, { force: true })
  }
}

/** A socket that a killed server left is taken away; one that somebody serves, or any other file, is not. */
async function makeRoom(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return
  if (!found.isSocket()) throw cliError('CLI_USAGE', `"${path}" is not a socket: give another --address, or remove it`)
  if (await answers(path)) throw cliError('CLI_USAGE', `another server listens at "${path}": give another --address, or end it`)
  await rm(path, { force: true })
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // From its first moment on for this user alone.
  const before = process.umask(0o177)
  try {
    await new Promise<void>((done, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : done()))
    })
    await chmod(path, 0o600)
  } catch (error) {
    throw cliError('CLI_USAGE', `cannot listen at "${path}"`, { cause: error })
  } finally {
    process.umask(before)
  }
}

function addCalls(server: Server, children: Children, signal: AbortSignal): void {
  server.addService(processService, {
    CreateProcess: unary(({ name, args }: { name: string; args: readonly string[] }) => {
      signal.throwIfAborted()
      return children.create(name, args)
    }),
    GetProcess: unary(({ pid }: ProcessPidRequest) => children.get(pid)),
    SignalProcess: unary(({ pid, signal: number }: { pid: number; signal: number }) => children.signal(pid, number)),
    ListProcesses: streamed(() => children.list()),
    Stdout: streamed(follow(children, 'stdout')),
    Stderr: streamed(follow(children, 'stderr')),
  })
}

function follow(children: Children, name: OutputName) {
  return ({ pid }: ProcessPidRequest, gone: AbortSignal) => children.follow(pid, name, gone)
}

function unary<Request, Response>(work: (request: Request) => Response | Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
    Promise.try(work, call.request).then(
      (response) => answer(null, response),
      (error: unknown) => answer(failure(error)),
    )
  }
}

type Pieces<T> = Iterable<T> | AsyncIterable<T>

/** Sends as fast as the client takes; ends when the client is gone. */
function streamed<Request, Piece>(work: (request: Request, gone: AbortSignal) => Pieces<Piece>) {
  return (call: ServerWritableStream<Request, Piece>): void => {
    const gone = new AbortController()
    call.once('cancelled', () => gone.abort(new Error('the client is gone')))
    void send(call, work, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) call.emit('error', failure(error))
    })
  }
}

async function send<Request, Piece>(
  call: ServerWritableStream<Request, Piece>,
  work: (request: Request, gone: AbortSignal) => Pieces<Piece>,
  gone: AbortSignal,
): Promise<void> {
  for await (const piece of work(call.request, gone)) {
    if (!call.write(piece)) await once(call, 'drain', { signal: gone })
  }
  call.end()
}

/** Kanister's server says UNKNOWN whatever failed, and the exit code of `client execute` tells it. */
function failure(error: unknown): { code: status; details: string } {
  return { code: status.UNKNOWN, details: messageOf(error) }
}

async function shutDown(server: Server): Promise<void> {
  const ended = new Promise<void>((done) => server.tryShutdown(() => done()))
  const timer = setTimeout(() => server.forceShutdown(), farewellMs)
  await ended
  clearTimeout(timer)
}
