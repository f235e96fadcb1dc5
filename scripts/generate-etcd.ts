/** Writes `src/storage/etcd/generated/` from `src/storage/etcd/etcd.proto`. `--check` fails when the folder is stale. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { protobufCode, writeGenerated } from './protobuf-code.ts'

const room = join(import.meta.dirname, '../src/storage/etcd')
const files = protobufCode({ 'etcd.proto': readFileSync(join(room, 'etcd.proto'), 'utf8') })
writeGenerated(join(room, 'generated'), files, 'scripts/generate-etcd.ts')
