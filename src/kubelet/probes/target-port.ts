import type { Container } from '#api/types/core.v1.ts'

/** The number of a port, or of the container's port with that name. */
export function targetPort(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  return (
    container.ports?.find(({ name }) => name === port)?.containerPort ?? (/^\d+$/.test(port) ? Number(port) : undefined)
  )
}
