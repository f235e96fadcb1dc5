import type { New } from '#api/meta/resource.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { hashAnnotation } from './pod-source.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

/** The picture of a static pod in the API; it goes when its node goes. */
export function mirrorOf(pod: Pod, node: Node | undefined): New<Pod> {
  const { name, namespace, labels, annotations } = pod.metadata
  const owner = node && {
    apiVersion: 'v1',
    kind: 'Node',
    name: node.metadata.name,
    uid: node.metadata.uid,
    controller: true,
  }
  return {
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      annotations: { ...annotations, [mirrorAnnotation]: hashOf(pod) },
      ...(owner && { ownerReferences: [owner] }),
    },
    spec: pod.spec,
  }
}

/** What has to be done so that the API shows the static pod; `mirror` is what it shows under the pod's name now. */
export function mirrorStep(pod: Pod | undefined, mirror: Pod | undefined): 'none' | 'create' | 'delete' {
  if (mirror === undefined) return pod === undefined ? 'none' : 'create'
  const isTrue = pod !== undefined && mirror.metadata.annotations?.[mirrorAnnotation] === hashOf(pod)
  return isTrue && mirror.metadata.deletionTimestamp === undefined ? 'none' : 'delete'
}

function hashOf({ metadata }: Pod): string {
  return metadata.annotations?.[hashAnnotation] ?? ''
}
