import { mainCreateActionSet } from './cli.ts'

/** Found by kubectl 1.29 and newer as the plugin for `kubectl create actionset`. It runs on the Node of the machine, 20 or newer. */
await mainCreateActionSet(process.argv.slice(2))
