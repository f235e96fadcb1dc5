/**
 * Writes the messages of what plugins on a node speak: the folders `generated` of `src/kubelet/csi`, `plugins`, `devices` and
 * `claims`.
 * `--check` fails when a folder is stale.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { protobufCode, writeGenerated } from './protobuf-code.ts'

const protos: Readonly<Record<string, readonly string[]>> = {
  csi: ['csi.proto'],
  plugins: ['plugin-registration.proto'],
  devices: ['device-plugin.proto'],
  claims: ['dra-v1.proto', 'dra-v1beta1.proto'],
}

for (const [folder, names] of Object.entries(protos)) {
  const room = join(import.meta.dirname, '../src/kubelet', folder)
  const texts = names.map((name) => [name, readFileSync(join(room, name), 'utf8')] as const)
  writeGenerated(join(room, 'generated'), protobufCode(Object.fromEntries(texts)), 'scripts/generate-csi.ts')
}
