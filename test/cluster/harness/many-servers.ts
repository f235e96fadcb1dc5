import { newAuthority, newLeaf } from '#apiserver/certificates/certificate-authority.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { configMaps } from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { TestPod, TestSpace } from './test-space.ts'

/** What a pod serves on its ports: each answers with its text; those of `tls` over TLS. */
export interface ServedPorts {
  readonly plain?: Readonly<Record<number, string>>
  readonly tls?: Readonly<Record<number, string>>
}

/** Starts a pod that answers on several ports, and waits until it is ready. */
export async function startServers(
  space: TestSpace,
  pod: TestPod,
  { plain = {}, tls = {} }: ServedPorts,
): Promise<Pod> {
  const name = pod.name ?? 'pod'
  const tools = { clock: systemClock, random: systemRandom }
  const leaf = { subject: { commonName: name }, usages: ['serverAuth'] as const, dnsNames: [name] }
  const { certificate, key } = newLeaf(leaf, newAuthority('servers', tools), tools)
  const server = (listen: string, text: string): string =>
    `server { listen ${listen}; location / { default_type text/plain; return 200 "${text}"; } }`
  const servers = [
    ...Object.entries(plain).map(([port, text]) => server(port, text)),
    ...Object.entries(tls).map(([port, text]) => server(`${port} ssl`, text)),
  ]
  const http = `ssl_certificate /etc/nginx/tls.crt; ssl_certificate_key /etc/nginx/tls.key; access_log off; ${servers.join('\n')}`
  const configuration = `user root; daemon off; pid /run/nginx.pid; events {} http { ${http} }\n`
  await space.of(configMaps).create({
    metadata: { name },
    data: { 'nginx.conf': configuration, 'tls.crt': certificate, 'tls.key': key },
  })
  const [first = 80] = Object.keys(plain).map(Number)
  return space.start({
    ...pod,
    container: {
      image: 'coracle.test/nginx:1',
      volumeMounts: [{ name: 'config', mountPath: '/etc/nginx' }],
      readinessProbe: { tcpSocket: { port: first }, periodSeconds: 1 },
      ...pod.container,
    },
    spec: { volumes: [{ name: 'config', configMap: { name } }], ...pod.spec },
  })
}
