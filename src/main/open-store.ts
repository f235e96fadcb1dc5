import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EtcdTls } from '#storage/etcd/etcd-connection.ts'
import type { Store } from '#storage/store.ts'
import type { Effects } from './effects.ts'

/** Where an etcd is that several servers keep their state in together. Empty texts: not given. */
export interface EtcdSettings {
  readonly servers: readonly string[]
  readonly keyPrefix: string
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

/** Where a control plane keeps its state: for itself, or in an etcd that it shares with other servers. */
export type StorageChoice = 'memory' | 'sqlite' | { readonly etcd: EtcdSettings }

/** Whether other servers may work on the same state. */
export function isShared(storage: StorageChoice): boolean {
  return typeof storage === 'object'
}

/** Opens the store of a control plane; only the chosen implementation is loaded. */
export async function openStore(storage: StorageChoice, dataDir: string, { clock, log }: Effects): Promise<Store> {
  if (typeof storage === 'object') {
    const { servers, keyPrefix } = storage.etcd
    const tls = await readTls(storage.etcd)
    const { openEtcdStore } = await import('#storage/etcd/etcd-store.ts')
    return openEtcdStore({ servers, keyPrefix, tls, clock, log: log.with({ component: 'etcd' }) })
  }
  if (storage === 'memory') {
    const { memoryStore } = await import('#storage/memory/memory-store.ts')
    return memoryStore()
  }
  const { openSqliteStore } = await import('#storage/sqlite/sqlite-store.ts')
  return openSqliteStore({ path: join(dataDir, 'state.db'), clock, log })
}

async function readTls({ caFile, certFile, keyFile }: EtcdSettings): Promise<EtcdTls> {
  return {
    ...(caFile !== '' && { ca: await readFile(caFile, 'utf8') }),
    ...(certFile !== '' && { certificate: await readFile(certFile, 'utf8') }),
    ...(keyFile !== '' && { key: await readFile(keyFile, 'utf8') }),
  }
}
