import { Client, Metadata, type MethodDefinition, type ServiceError, credentials, status } from '@grpc/grpc-js'
import { resolve } from 'node:path'
import { cliError } from '../../../cli/errors.ts'
import type { ProcessClient } from '../../../cli/kando/process/processes.ts'
import { largestMessageBytes, processService } from './service.ts'

/** @param answerMs for a call; what follows output has no such end, since a command may be silent for hours. */
export async function connectProcesses(address: string, answerMs = 30_000): Promise<ProcessClient> {
  const path = resolve(address)
  const client = new Client(`unix:${path}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': largestMessageBytes,
    'grpc.enable_http_proxy': 0,
  })
  const one = unaryCaller(client, path, answerMs)
  const many = streamCaller(client, path)
  return {
    create: (name, args, signal) => one(processService.CreateProcess, { name, args }, signal),
    get: (pid, signal) => one(processService.GetProcess, { pid }, signal),
    list: (signal) => many(processService.ListProcesses, {}, signal, answerMs),
    signal: (pid, number, signal) => one(processService.SignalProcess, { pid, signal: number }, signal),
    follow: (pid, name, signal) => many(name === 'stdout' ? processService.Stdout : processService.Stderr, { pid }, signal),
    [Symbol.dispose]: () => client.close(),
  }
}

function unaryCaller(client: Client, path: string, answerMs: number) {
  return async <Request, Response>(
    { path: method, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Response> => {
    signal.throwIfAborted()
    return new Promise<Response>((done, reject) => {
      const options = { deadline: Date.now() + answerMs }
      const call = client.makeUnaryRequest(
        method,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, answer) => {
          signal.removeEventListener('abort', cancel)
          if (error) reject(signal.aborted ? signal.reason : translated(error, path))
          else done(answer as Response) // Without an error there is an answer.
        },
      )
      const cancel = (): void => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
    })
  }
}

function streamCaller(client: Client, path: string) {
  return async function* <Request, Response>(
    { path: method, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    request: Request,
    signal: AbortSignal,
    answerMs = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Response> {
    signal.throwIfAborted()
    const call = client.makeServerStreamRequest(method, requestSerialize, responseDeserialize, request, {
      deadline: Date.now() + answerMs,
    })
    const cancel = (): void => call.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      yield* call as AsyncIterable<Response>
    } catch (error) {
      throw signal.aborted ? signal.reason : translated(error as ServiceError, path)
    } finally {
      signal.removeEventListener('abort', cancel)
      call.cancel()
    }
  }
}

function translated(error: ServiceError, path: string): unknown {
  const text =
    error.code === status.UNAVAILABLE
      ? `the process server at "${path}" cannot be reached${why(error)}: start one with kando process server, or give its --address`
      : error.details || error.message
  return cliError('CLI_PROCESS_SERVER', text, { details: { grpcStatus: error.code } })
}

/** Of the library's long text, what the system said. */
function why({ details }: ServiceError): string {
  const code = /\bE[A-Z]{3,}\b/.exec(details)?.[0]
  return code === undefined ? '' : ` (${code})`
}
