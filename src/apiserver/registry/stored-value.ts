import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import type { ServerParts } from '../server-parts.ts'

/** What upstream's store takes as one request. */
const longestBytes = 1.5 * 1_024 * 1_024

/** The bytes to store for an object that a client writes. Throws as upstream does for one that is too large to be kept. */
export function storedValue({ codec }: ServerParts, draft: Draft<KubernetesObject>): Uint8Array {
  const value = codec.encode(draft)
  if (value.byteLength > longestBytes) throw new StatusError('', 'etcdserver: request is too large')
  return value
}
