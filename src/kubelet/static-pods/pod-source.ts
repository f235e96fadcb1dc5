import type { Pod } from '#api/types/core.v1.ts'

/** Annotations that tell where a pod comes from, and that a pod of the API is only the picture of another. */
export const sourceAnnotation = 'kubernetes.io/config.source'
export const hashAnnotation = 'kubernetes.io/config.hash'

/** Whether the pod comes from the node itself, and not from the API. */
export function isStaticPod({ metadata }: Pod): boolean {
  return ['file', 'http'].includes(metadata.annotations?.[sourceAnnotation] ?? '')
}
