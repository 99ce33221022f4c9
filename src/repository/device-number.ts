/** Linux packs the two numbers of a device into one of 64 bits, the low parts where they were when 16 bits were enough. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
}

export function splitDeviceNumber(device: bigint): { readonly deviceMajor: number; readonly deviceMinor: number } {
  return {
    deviceMajor: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    deviceMinor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  }
}
