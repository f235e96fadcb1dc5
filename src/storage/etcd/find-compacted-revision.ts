import type { EtcdConnection } from './etcd-connection.ts'
import { EtcdError } from './etcd-error.ts'
import { KV } from './generated/etcd_pb.ts'
import type { KeySpace } from './key-space.ts'

/**
 * Up to where etcd is compacted; 1 if it never was. No call answers that: a watch from the beginning is refused with
 * it, so one is begun if a read at the beginning is refused.
 */
export async function findCompactedRevision(connection: EtcdConnection, { marker }: KeySpace): Promise<number> {
  try {
    await connection.ask(KV.method.range, { key: marker, revision: 1n, keysOnly: true })
    return 1
  } catch (error) {
    if (!(error instanceof EtcdError) || error.reason !== 'compacted') throw error
  }
  const ending = new AbortController()
  for await (const { compactRevision } of connection.watch({ key: marker, startRevision: 1n }, ending.signal)) {
    if (compactRevision > 0n) return Number(compactRevision)
  }
  throw new EtcdError('unavailable', 'etcd did not say up to where it is compacted')
}
