import { forbidden } from '#api/meta/status.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'

/** The classes that the system's own pods need stay. */
export const priorityClassBehaviour: ResourceBehaviour = {
  beforeDelete({ metadata: { name } }) {
    if (!systemClasses.has(name)) return
    const target = { group: 'scheduling.k8s.io', resource: 'priorityclasses', name }
    throw forbidden(target, 'this is a system priority class and cannot be deleted')
  },
}

const systemClasses: ReadonlySet<string> = new Set(['system-node-critical', 'system-cluster-critical'])
