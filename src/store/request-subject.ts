/** What a request was about, for the message of its failure. */
export interface RequestSubject {
  /** `put of object "k"`: a noun. */
  readonly what: string
  /** `bucket "b" at https://endpoint`. */
  readonly where: string
  readonly bucket: string
}
