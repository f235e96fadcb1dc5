/**
 * Writes the messages of what plugins on a node speak: the folders `generated` of `src/kubelet/csi`, `plugins`, `devices` and
 * `claims`.
 * `--check` fails when a folder is stale.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { protobufCode, writeGenerated } from './protobuf-code.ts'

const room = (folder: string): string => join(import.meta.dirname, '../src/kubelet', folder)
const proto = (folder: string, name: string): string => readFileSync(join(room(folder), name), 'utf8')

/** Both versions of what drivers of claims speak have the same messages. */
const claims = proto('claims', 'dra-v1.proto')
const protos: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  csi: { 'csi.proto': proto('csi', 'csi.proto') },
  plugins: { 'plugin-registration.proto': proto('plugins', 'plugin-registration.proto') },
  devices: { 'device-plugin.proto': proto('devices', 'device-plugin.proto') },
  claims: {
    'dra-v1.proto': claims,
    'dra-v1beta1.proto': claims.replace('apis.dra.v1;', 'apis.dra.v1beta1;'),
    'dra-health.proto': proto('claims', 'dra-health.proto'),
  },
}

for (const [folder, texts] of Object.entries(protos)) {
  writeGenerated(join(room(folder), 'generated'), protobufCode(texts), 'scripts/generate-csi.ts')
}
