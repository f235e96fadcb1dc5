/**
 * Writes the messages of what plugins on a node speak: the folders `generated` of `src/kubelet/csi`, `plugins` and `devices`.
 * `--check` fails when a folder is stale.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { protobufCode, writeGenerated } from './protobuf-code.ts'

for (const path of ['csi/csi.proto', 'plugins/plugin-registration.proto', 'devices/device-plugin.proto']) {
  const [folder = '', name = ''] = path.split('/')
  const room = join(import.meta.dirname, '../src/kubelet', folder)
  const files = protobufCode({ [name]: readFileSync(join(room, name), 'utf8') })
  writeGenerated(join(room, 'generated'), files, 'scripts/generate-csi.ts')
}
