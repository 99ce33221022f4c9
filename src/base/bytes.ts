const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** 3_000_000 → `2.861 MiB`: three decimals as restic prints sizes, which Kanister's outputs carry. Below 1 KiB: `12 B`. */
export function formatBytes(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(3)} ${units[unit]}`
}
