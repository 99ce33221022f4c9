/** The words of an argument that holds several names, separated by blanks. */
export function wordsOf(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
