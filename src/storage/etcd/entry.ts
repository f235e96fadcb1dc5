import type { Entry } from '../store.ts'
import type { KeyValue } from './generated/etcd_pb.ts'

/** etcd's record as an entry under the key that the store shows. The value is shared, not copied. */
export function entryOf(key: string, { value, modRevision, createRevision }: KeyValue): Entry {
  return { key, value, modRevision: Number(modRevision), createRevision: Number(createRevision) }
}
