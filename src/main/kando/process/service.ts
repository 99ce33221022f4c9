import type { MethodDefinition } from '@grpc/grpc-js'
import {
  type Codec,
  createProcessRequest,
  listProcessesRequest,
  outputMessage,
  processMessage,
  processPidRequest,
  signalProcessRequest,
} from './wire.ts'

/** The calls of process-service.proto. */
export const processService = {
  CreateProcess: call('CreateProcess', createProcessRequest, processMessage),
  GetProcess: call('GetProcess', processPidRequest, processMessage),
  ListProcesses: call('ListProcesses', listProcessesRequest, processMessage, { stream: true }),
  SignalProcess: call('SignalProcess', signalProcessRequest, processMessage),
  Stdout: call('Stdout', processPidRequest, outputMessage, { stream: true }),
  Stderr: call('Stderr', processPidRequest, outputMessage, { stream: true }),
} as const

/** As grpc's own default for what is received; Kanister's messages of output have up to 2 MiB, ours 64 KiB. */
export const largestMessageBytes = 4 << 20

function call<Request, Response>(
  name: string,
  request: Codec<Request>,
  response: Codec<Response>,
  { stream = false } = {},
): MethodDefinition<Request, Response> {
  return {
    path: `/kanx.ProcessService/${name}`,
    requestStream: false,
    responseStream: stream,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  }
}
