/** One process of `--workers`: plays a share of seeds and prints what came of them. */
import { playSeeds, type Share } from './many-seeds.ts'

process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection', error)
  process.exit(1)
})

const share = JSON.parse(process.argv[2] ?? '') as Share
console.log(JSON.stringify(await playSeeds(share, (line) => console.log(line))))
