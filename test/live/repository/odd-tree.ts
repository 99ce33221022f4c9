import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

/** Fills a folder with everything that is odd about files. Needs root, for owners. */
export function makeOddTree(path: string, options: { readonly rawLinks?: boolean } = {}): Buffer {
  mkdirSync(path, { recursive: true })
  const root = Buffer.from(path)
  const at = (child: string | Buffer): Buffer => Buffer.concat([root, Buffer.from('/'), Buffer.from(child)])
  writeFileSync(at('plain.txt'), 'hello')
  writeFileSync(at('empty'), '')
  writeFileSync(at('with space & <odd> "quotes" \\back'), 'x')
  writeFileSync(at('new\nline\ttab'), 'x')
  writeFileSync(at('ünïcödé 日本 🙂'), 'x')
  writeFileSync(at(Buffer.of(0x62, 0xff, 0xfe, 0x80)), 'not utf-8')
  writeFileSync(at('n'.repeat(255)), 'long name')
  writeFileSync(at('big'), randomBytes(3_000_001))
  mkdirSync(at('sub/deep/er'), { recursive: true })
  mkdirSync(at('empty-dir'))
  mkdirSync(at(`${'d'.repeat(120)}/${'e'.repeat(120)}`), { recursive: true })
  writeFileSync(at(`${'d'.repeat(120)}/${'e'.repeat(120)}/f`), 'long path')
  symlinkSync('../plain.txt', at('sub/link'))
  // restic before 0.17 cannot keep a link target that is no UTF-8.
  symlinkSync(options.rawLinks === false ? '/<' : Buffer.of(0x2f, 0xff, 0x3c), at('sub/broken'))
  symlinkSync('t'.repeat(300), at('sub/long-link'))
  linkSync(at('big'), at('sub/hard'))
  linkSync(at('plain.txt'), at('zz-hard'))
  const sparse = openSync(at('sparse'), 'w')
  writeSync(sparse, 'start', 0)
  writeSync(sparse, 'middle', 5_000_000)
  ftruncateSync(sparse, 9_000_000)
  closeSync(sparse)
  chmodSync(at('plain.txt'), 0o4755)
  chmodSync(at('empty'), 0)
  chmodSync(at('sub'), 0o1777)
  chmodSync(at('empty-dir'), 0o2750)
  chownSync(at('big'), 1234, 3_000_000)
  execFileSync('mkfifo', [at('fifo').toString()])
  utimesSync(at('plain.txt'), 1_000_000_000.123456, 1_000_000_000.123456)
  utimesSync(at('empty'), 0, 0)
  lutimesSync(at('sub/link'), 12_345, 12_345)
  utimesSync(at('sub'), 1_500_000_000, 1_500_000_000)
  utimesSync(root, 1_400_000_000, 1_400_000_000)
  return root
}
