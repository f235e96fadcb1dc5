import type { Draft } from '#api/kind.ts'
import type { Binding, Pod } from '#api/types/core.v1.ts'
import { nodes } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'

const keys = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** Tells a pod where its node is, by labels that binding copies to the pod (KEP-4742). */
export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  resources: ['pods', 'bindings'],
  operations: ['CREATE'],
  subresources: ['binding'],
  mutate({ object, info }, { reader }) {
    if (object === undefined) return
    const nodeName =
      info.resource === 'pods' && info.subresource === ''
        ? (object as Pod).spec?.nodeName
        : targetOf(object as unknown as Draft<Binding>)
    const labels = nodeName ? reader.get(nodes, nodeName)?.metadata.labels : undefined
    for (const key of keys) {
      const value = labels?.[key]
      if (value !== undefined) (object.metadata.labels ??= {})[key] = value
    }
  },
}

function targetOf({ target }: Draft<Binding>): string | undefined {
  return target.kind === undefined || target.kind === '' || target.kind === 'Node' ? target.name : undefined
}
