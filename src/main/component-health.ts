import { leases } from '#api/types/resources.ts'
import type { ObjectReader } from '#apiserver/registry/object-reader.ts'
import type { ComponentHealth } from '#apiserver/component-health.ts'
import type { Clock } from '#lib/clock.ts'
import type { DebugPaths } from './debug-paths.ts'
import { managersLease } from './managers-lease.ts'

interface Options {
  readonly reader: ObjectReader
  readonly clock: Clock
  readonly debugPaths: DebugPaths
}

/** How scheduler and controllers fare, which run in this process or, where several servers share the work, in the one that leads. */
export function componentHealth({ reader, clock, debugPaths }: Options): readonly ComponentHealth[] {
  const isHere = debugPaths.hasScheduler
  const lease = reader.get(leases, managersLease.name, managersLease.namespace)
  const { renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {}
  const isElsewhere = renewTime !== undefined && Date.parse(renewTime) + leaseDurationSeconds * 1000 > clock.now()
  const problem = isHere || isElsewhere ? {} : { problem: 'it runs in no process of the cluster' }
  return [
    { name: 'scheduler', ...problem },
    { name: 'controller-manager', ...problem },
  ]
}
