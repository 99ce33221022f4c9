/** The oldest Node whose crypto has Poly1305 (`createMac`), which the repository format needs. */
const oldest = { major: 26, minor: 9 }

/** Ends the process with a clear sentence where Node is too old; an import would fail with an unclear one. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return
  console.error(
    `holdfast needs Node ${oldest.major}.${oldest.minor} or newer, this is ${version}. In a checkout, npm run brings the right one.`,
  )
  process.exit(78)
}
