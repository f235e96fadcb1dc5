import type { ObjectMeta } from '../../../types/meta.v1.ts'
import { dnsLabel } from '../../../meta/names.ts'

/** What the API server says of the name of a new workload whose pods take it as the start of theirs. */
export function podNameWarnings({ name }: ObjectMeta, old: object | undefined): readonly string[] {
  const problems = old === undefined ? dnsLabel(name) : []
  if (problems.length === 0) return []
  const why =
    'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return [`metadata.name: ${why}: [${problems.join(' ')}]`]
}
