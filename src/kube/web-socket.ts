import { createHash, randomBytes } from 'node:crypto'
import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { errorOfAnswer, errorOfTransport } from './api-errors.ts'
import { ChannelSocket } from './channel-socket.ts'
import type { Identity } from './credentials.ts'
import { kubeError } from './errors.ts'
import type { KubeEndpoint } from './kubeconfig.ts'

const maxRefusalBytes = 64 << 10
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Opens a channel socket to the API server; it reads nothing before its `start`. The agent keeps TLS sessions, so that handshakes are short. */
export async function openWebSocket(
  url: URL,
  protocols: readonly string[],
  {
    endpoint,
    tlsOptions,
    agent,
    signal,
  }: {
    readonly endpoint: KubeEndpoint
    readonly tlsOptions: (identity: Identity) => object
    readonly agent: HttpAgent | HttpsAgent
    readonly signal: AbortSignal
  },
): Promise<ChannelSocket> {
  const identity = await endpoint.credentials.current()
  const { authorization } = identity
  signal.throwIfAborted()
  const nonce = randomBytes(16).toString('base64')
  const headers = {
    'user-agent': 'holdfast',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': nonce,
    'sec-websocket-protocol': protocols.join(', '),
    ...(authorization !== undefined && { authorization }),
  }
  const options = { headers, agent, signal, ...tlsOptions(identity) }
  return await new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
    request.on('error', (error) => reject(signal.aborted ? signal.reason : errorOfTransport(error, endpoint.server)))
    request.once('response', (response) => {
      void readRefusal(response).then((text) => {
        reject(errorOfAnswer(response.statusCode ?? 0, text, `GET ${url.pathname}`, response.headers['retry-after']))
        request.destroy()
      })
    })
    request.once('upgrade', (response, wire, head) => {
      const protocol = response.headers['sec-websocket-protocol'] ?? ''
      if (response.headers['sec-websocket-accept'] === acceptOf(nonce) && protocols.includes(protocol)) {
        return resolve(new ChannelSocket(wire, head, protocol))
      }
      wire.destroy()
      reject(
        kubeError(
          'KUBE_SERVER',
          `the API server ${endpoint.server} (or a proxy before it) speaks none of ${protocols.join(', ')}`,
        ),
      )
    })
    request.end()
  })
}

function acceptOf(nonce: string): string {
  return createHash('sha1')
    .update(nonce + guid)
    .digest('base64')
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const part of response) {
      text += String(part)
      if (text.length > maxRefusalBytes) break
    }
  } catch {
    // The HTTP code alone says enough.
  }
  return text
}
