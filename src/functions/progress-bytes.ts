import type { FunctionContext } from './context.ts'

/** Reports bytes on their way into the store. The length of a stream is not known beforehand, so there is no percentage. */
export function uploadProgress(
  ctx: Pick<FunctionContext, 'progress'>,
): (progress: { readonly processedBytes: number }) => void {
  return ({ processedBytes }) => ctx.progress({ sizeUploadedB: processedBytes })
}

/** Passes bytes on, reporting at most every mebibyte how many there were and what share of `total` that is. */
export async function* downloadProgress(
  ctx: Pick<FunctionContext, 'progress'>,
  stream: AsyncIterable<Uint8Array>,
  total: number,
): AsyncGenerator<Uint8Array> {
  let done = 0
  let said = 0
  for await (const bytes of stream) {
    yield bytes
    done += bytes.length
    if (done - said < 1 << 20) continue
    said = done
    const share = total > 0 ? { progressPercent: String(Math.min(99, Math.floor((done * 100) / total))) } : {}
    ctx.progress({ sizeDownloadedB: done, ...share })
  }
}
