import { downCluster } from '../cluster/cluster.ts'
import { harnessFolders } from '../machine/folders.ts'
import { runDemo } from './demo.ts'
import { ownStage, theirStage } from './stage.ts'

const usage = `npm run demo [-- OPTIONS]

  (none)           on a cluster of its own on this machine, which stays up afterwards
  --context NAME   on a cluster of yours; the README says what it needs
  --down           stop the cluster of its own and remove its state`

const args = process.argv.slice(2)
const context = args[0] === '--context' ? args[1] : undefined

if (args[0] === '--down') await downCluster(harnessFolders())
else if (args.length === 0) process.exitCode = await runDemo(ownStage)
else if (context !== undefined && args.length === 2) process.exitCode = await runDemo(() => theirStage(context))
else {
  console.error(usage)
  process.exitCode = 64
}
