import type { IncomingMessage } from 'node:http'
import type { ClientOptions, WebSocket } from 'ws'
import { errorOfAnswer, errorOfTransport } from './api-errors.ts'
import type { KubeEndpoint } from './kubeconfig.ts'

/** The API server refuses and never sends messages beyond 32 MiB. */
const maxPayload = 32 << 20
const maxRefusalBytes = 64 << 10

/**
 * Opens a WebSocket to the API server and hands it over paused, so that nothing arrives before there are listeners.
 * The mask of our frames is zero: masking guards proxies against plain-text pages, we speak inside TLS, and real
 * masks cost a pass over all bytes in JavaScript. `ws` is loaded here, since half of our processes never exec (17 MB).
 */
export async function openWebSocket(
  url: URL,
  protocols: readonly string[],
  endpoint: KubeEndpoint,
  signal: AbortSignal,
): Promise<WebSocket> {
  const [{ WebSocket: Socket }, identity] = await Promise.all([import('ws'), endpoint.credentials.current()])
  signal.throwIfAborted()
  const options: ClientOptions = {
    ...endpoint.tls,
    ...(identity.cert && identity.key ? { cert: identity.cert, key: identity.key } : {}),
    headers: {
      'user-agent': 'holdfast',
      ...(identity.authorization !== undefined && { authorization: identity.authorization }),
    },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload,
    generateMask: (mask) => mask.fill(0),
  }
  const address = url.href.replace(/^http/, 'ws')
  return await new Promise((resolve, reject) => {
    const socket = new Socket(address, [...protocols], options)
    const stop = (): void => {
      socket.terminate()
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    const settle = (): void => signal.removeEventListener('abort', stop)
    // Stays attached: terminate() during the handshake emits an error that nobody else would take.
    socket.on('error', (error) => {
      settle()
      reject(errorOfTransport(error, endpoint.server))
    })
    socket.once('unexpected-response', (request, response) => {
      settle()
      void readRefusal(response).then((text) => {
        reject(errorOfAnswer(response.statusCode ?? 0, text, `GET ${url.pathname}`, response.headers['retry-after']))
        request.destroy()
      })
    })
    socket.once('open', () => {
      settle()
      socket.pause()
      resolve(socket)
    })
  })
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
