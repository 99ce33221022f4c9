import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DockerfileImage } from './dockerfile-image.ts'

/**
 * Client tools of databases, a MariaDB server, and kando: what stands in for Kanister's tools images, which cannot be pulled here. Wants `dist/image`,
 * which installing Holdfast makes.
 */
export const toolsImage: DockerfileImage = {
  name: 'docker.io/holdfast/test-tools:1',
  context: fileURLToPath(new URL('./database-tools', import.meta.url)),
  contexts: { holdfast: join(resolve(import.meta.dirname, '../../..'), 'dist/image') },
}
