import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from '../machine/command.ts'

export interface ImageSettings {
  readonly name: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
}

/**
 * Packs the files of `root` as an image of one layer, in the form that `docker save` writes: containerd, buildah and
 * docker all load it. `workFolder` holds the parts meanwhile.
 */
export async function packImage(root: string, settings: ImageSettings, workFolder: string, archive: string): Promise<void> {
  const layer = join(workFolder, 'layer.tar')
  const reproducible = ['--numeric-owner', '--sort=name', '--exclude=./dev/*', '--exclude=./proc/*', '--exclude=./sys/*']
  await run('tar', ['-C', root, ...reproducible, '-cf', layer, '.'])
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(settings.entrypoint ? { Entrypoint: settings.entrypoint } : {}),
      ...(settings.cmd ? { Cmd: settings.cmd } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256(layer)}`] },
    history: [{ created_by: 'holdfast test harness' }],
  })
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  await writeFile(join(workFolder, configName), config)
  const manifest = [{ Config: configName, RepoTags: [settings.name], Layers: ['layer.tar'] }]
  await writeFile(join(workFolder, 'manifest.json'), JSON.stringify(manifest))
  await run('tar', ['-C', workFolder, '-cf', archive, configName, 'layer.tar', 'manifest.json'])
  for (const part of [configName, 'layer.tar', 'manifest.json']) await rm(join(workFolder, part))
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
