import type { Service, ServicePort } from '#api/types/core.v1.ts'
import { pods, services } from '#api/types/resources.ts'
import { isReady, type TestSpace } from './test-space.ts'

export const echoPort = 8080

/** Starts pods that answer HTTP and datagrams on `echoPort` with their names, and waits until they are ready. */
export async function startEchoServers(space: TestSpace, names: readonly string[], spec: object = {}): Promise<void> {
  const labels = { app: 'echo' }
  for (const name of names) {
    const readinessProbe = { httpGet: { path: '/ready', port: echoPort }, periodSeconds: 1 }
    const container = { image: 'coracle.test/echo:1', readinessProbe }
    await space.create({ name, labels: { ...labels, name }, container, spec })
  }
  for (const name of names) await space.waitFor(pods, name, isReady)
}

/** Creates a service over the echo servers: port 80, unless told otherwise. */
export function createService(space: TestSpace, name: string, spec: Partial<Service['spec']> = {}): Promise<Service> {
  const usual = { selector: { app: 'echo' }, ports: [tcpPort] }
  return space.of(services).create({ metadata: { name }, spec: { ...usual, ...spec } as Service['spec'] })
}

export const tcpPort = { name: 'http', port: 80, targetPort: echoPort, protocol: 'TCP' } as ServicePort
export const udpPort = { name: 'udp', port: 80, targetPort: echoPort, protocol: 'UDP' } as ServicePort
