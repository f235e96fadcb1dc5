import { join } from 'node:path'
import type { Store } from '#storage/store.ts'
import type { Effects } from './effects.ts'

export type StorageKind = 'memory' | 'sqlite'

export const storageKinds: readonly StorageKind[] = ['sqlite', 'memory']

/** Opens the store of a control plane; only the chosen implementation is loaded. */
export async function openStore(kind: StorageKind, dataDir: string, { clock, log }: Effects): Promise<Store> {
  if (kind === 'memory') {
    const { memoryStore } = await import('#storage/memory/memory-store.ts')
    return memoryStore()
  }
  const { openSqliteStore } = await import('#storage/sqlite/sqlite-store.ts')
  return openSqliteStore({ path: join(dataDir, 'state.db'), clock, log })
}
