import { createHash } from 'node:crypto'
import type { Container } from '#api/types/core.v1.ts'

/** Annotation of a container in the runtime: the hash of the definition it was created from. */
export const hashAnnotation = 'io.kubernetes.container.hash'

/** Changes with the parts of a container that may be changed in a live pod: its image. */
export function containerHash(container: Pick<Container, 'name' | 'image'>): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8)
}
