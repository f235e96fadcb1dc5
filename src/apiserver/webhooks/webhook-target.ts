import type { ServiceReference, WebhookClientConfig } from '#api/types/admissionregistration.v1.ts'
import { endpointSlices, services } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { WebhookTarget } from './webhook-caller.ts'

const defaultPort = 443

/** Where to call a webhook: its URL, or a ready endpoint of its Service. Throws for a Service that is not there. */
export function webhookTarget(
  { url, service, caBundle }: WebhookClientConfig,
  timeoutSeconds: number,
  reader: ObjectReader,
): WebhookTarget {
  const ca = caBundle === undefined || caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString()
  const text = service === undefined ? (url ?? '') : serviceUrl(service)
  const shown = `${text}${text.includes('?') ? '&' : '?'}timeout=${timeoutSeconds}s`
  return { url: new URL(shown), shown, ca, address: service && serviceAddress(service, reader) }
}

function serviceUrl({ name, namespace, path = '/', port = defaultPort }: ServiceReference): string {
  return `https://${name}.${namespace}.svc:${port}${path.startsWith('/') ? path : `/${path}`}`
}

/** An address where a Service answers. Throws for one that is not there, or has nobody who answers. */
export function serviceAddress(
  { name, namespace, port = defaultPort }: ServiceReference,
  reader: ObjectReader,
): { readonly host: string; readonly port: number } {
  const service = reader.get(services, name, namespace)
  if (service === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
  const { type, externalName = '' } = service.spec ?? {}
  if (type === 'ExternalName') return { host: externalName, port }
  const wanted = service.spec?.ports?.find((each) => each.port === port)
  if (wanted === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  // An endpoint is reached from every machine of the cluster, a cluster address only where a proxy runs.
  for (const slice of reader.list(endpointSlices, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const endpoint = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false)
    const at = slice.ports?.find((each) => (each.name ?? '') === (wanted.name ?? ''))?.port
    const host = endpoint?.addresses[0]
    if (host !== undefined && at !== undefined) return { host, port: at }
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
}
