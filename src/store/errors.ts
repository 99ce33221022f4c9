import { defineErrors } from '../base/errors.ts'

/** What can go wrong with bytes at a location. Messages name bucket, key and endpoint, and what to do; never credentials. */
export const storeError = defineErrors({
  STORE_NOT_FOUND: { next: 'stop', summary: 'The object is not in the store.' },
  STORE_NO_BUCKET: { next: 'stop', summary: 'The bucket of the location does not exist.' },
  STORE_DENIED: { next: 'stop', summary: 'The store refuses the credentials, or they may not do this.' },
  STORE_UNREACHABLE: { next: 'retry', summary: 'The endpoint cannot be reached, or the connection broke or stalled.' },
  STORE_UNTRUSTED: { next: 'stop', summary: "The endpoint's TLS certificate is not trusted." },
  STORE_UNAVAILABLE: { next: 'retry', summary: 'The store answered with an error of its own (5xx).' },
  STORE_THROTTLED: { next: 'retry', summary: 'The store asks to slow down.' },
  STORE_FULL: { next: 'stop', summary: 'The store or its quota is full.' },
  STORE_LOCKED: {
    next: 'stop',
    summary: 'The object is under retention or a legal hold and cannot be changed or deleted yet.',
  },
  STORE_EXISTS: { next: 'stop', summary: 'The key is taken and the caller asked to create it only if absent.' },
  STORE_CHANGED: { next: 'retry', summary: 'The object was replaced while it was being read.' },
  STORE_BAD_KEY: { next: 'stop', summary: 'The key is empty or not one that every store can hold.' },
  STORE_BAD_LOCATION: { next: 'stop', summary: 'The Profile does not describe a location that can be opened.' },
  STORE_TOO_LARGE: { next: 'stop', summary: 'The object is larger than the reader accepts or the store can hold.' },
  STORE_TRUNCATED: { next: 'retry', summary: 'The object, as sent or as stored, has fewer bytes than it must have.' },
  STORE_CHECKSUM: { next: 'retry', summary: 'Bytes were altered on the way to or from the store.' },
  STORE_ALTERED: { next: 'stop', summary: 'The object is not the one that its manifest describes.' },
  STORE_READ_ONLY: { next: 'stop', summary: 'A change was tried through a store that was opened for reading.' },
  STORE_REFUSED: { next: 'stop', summary: 'The store refuses the request for a reason of its own.' },
})
