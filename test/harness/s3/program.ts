/** Where the versitygw program is. */
export async function versitygwProgram(): Promise<string> {
  return process.env['HOLDFAST_VERSITYGW'] ?? 'versitygw'
}
