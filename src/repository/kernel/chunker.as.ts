// The chunker's hot loop (FORMAT.md 6) in AssemblyScript; build.sh makes chunker.wasm of it.
//
// The host writes two tables of 256 u64 into the memory: MOD at 1024, OUT2 at 3072 (../format/polynomial.ts). A digest depends on the 64
// bytes before a position and on nothing else, so a scan may begin anywhere. One scan waits for its table loads all the time
// (640 MB/s on the machine this was measured on); four of them, 8 KiB apart and interleaved, hide that (1,400 MB/s).

const MOD: usize = 1024
const OUT2: usize = 3072
const MASK: u32 = 0xfffff
const WINDOW: usize = 64
const LANE: usize = 8192

// @ts-ignore: decorators are AssemblyScript's
@inline function isCut(digest: u64): bool {
  return (<u32>digest & MASK) == 0
}

// Shift one byte in: the byte shifted out at the top is reduced by MOD.
// @ts-ignore
@inline function enter(digest: u64, entering: u32): u64 {
  return (digest << 8) ^ load<u64>(<usize>(digest >> 45) << 3, MOD) ^ <u64>entering
}

// The same, and the byte that leaves the window is taken out by OUT2.
// @ts-ignore
@inline function roll(digest: u64, leaving: u32, entering: u32): u64 {
  return (digest << 8) ^ load<u64>(<usize>(digest >> 45) << 3, MOD) ^ (load<u64>(<usize>leaving << 3, OUT2) ^ <u64>entering)
}

// The digest of the window that ends before `at`.
function windowBefore(at: usize): u64 {
  let digest: u64 = 0
  for (let p = at - WINDOW; p < at; p++) digest = enter(digest, load<u8>(p))
  return digest
}

// One lane, for what is too short for four. `digest` is of the window before `from`, which was looked at already.
function scanOne(start: u64, from: usize, to: usize): usize {
  let digest = start
  for (let p = from; p < to; p++) {
    digest = roll(digest, load<u8>(p - WINDOW), load<u8>(p))
    if (isCut(digest)) return p + 1
  }
  return 0
}

// The first position c in [from, to] at which the window before c is a cut, else 0. 64 bytes before `from` must be there.
export function scan(from: usize, to: usize): usize {
  let a = windowBefore(from)
  if (isCut(a)) return from
  let at = from
  while (to - at >= 4 * LANE) {
    let b = windowBefore(at + LANE)
    let c = windowBefore(at + 2 * LANE)
    let d = windowBefore(at + 3 * LANE)
    let cutB: usize = 0
    let cutC: usize = 0
    let cutD: usize = 0
    const end = at + LANE - WINDOW
    // q is the leaving byte of the first lane; every other address is a constant away from it.
    for (let q = at - WINDOW; q < end; q++) {
      a = roll(a, load<u8>(q), load<u8>(q, WINDOW))
      b = roll(b, load<u8>(q, LANE), load<u8>(q, LANE + WINDOW))
      c = roll(c, load<u8>(q, 2 * LANE), load<u8>(q, 2 * LANE + WINDOW))
      d = roll(d, load<u8>(q, 3 * LANE), load<u8>(q, 3 * LANE + WINDOW))
      if (isCut(a)) return q + WINDOW + 1
      if (isCut(b) && !cutB) cutB = q + LANE + WINDOW + 1
      if (isCut(c) && !cutC) cutC = q + 2 * LANE + WINDOW + 1
      if (isCut(d) && !cutD) cutD = q + 3 * LANE + WINDOW + 1
    }
    if (cutB) return cutB
    if (cutC) return cutC
    if (cutD) return cutD
    at += 4 * LANE
    a = d
  }
  return scanOne(a, at, to)
}
