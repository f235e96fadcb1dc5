import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { RequestContext, ResourceContext } from '../request-context.ts'
import { isTrue } from '../request-info.ts'
import { admitMutating, admitValidating } from './admit.ts'

const connections: ReadonlySet<string> = new Set(['attach', 'exec', 'portforward', 'proxy'])

/** Asks the plugins whether somebody may connect to what runs behind a resource. Throws their refusal. */
export async function admitConnection(context: RequestContext): Promise<void> {
  const { info, server, request } = context
  if (!info.isResourceRequest || !connections.has(info.subresource)) return
  const resource = server.resources.find(info.group, info.version, info.resource)
  const below = resource?.subresources.get(info.subresource)
  if (resource === undefined || below === undefined) return
  const object = connectOptions(below.kind, request.query, info.rest) as unknown as Draft<KubernetesObject>
  const subject = { operation: 'CONNECT', object, oldObject: undefined, dryRun: false } as const
  const resourceContext: ResourceContext = { ...context, resource }
  await admitMutating(resourceContext, subject)
  await admitValidating(resourceContext, subject)
}

const flags = ['stdin', 'stdout', 'stderr', 'tty']

/** The options of a connection as an object: what plugins judge. */
function connectOptions(kind: string, query: URLSearchParams, rest: string): object {
  const options: Record<string, unknown> = { kind, apiVersion: 'v1', metadata: {} }
  if (kind.endsWith('ProxyOptions')) {
    const path = query.get('path') ?? (rest === '' ? '' : `/${rest}`)
    return { ...options, ...(path !== '' && { path }) }
  }
  if (kind === 'PodPortForwardOptions') return { ...options, ports: query.getAll('ports').map(Number) }
  for (const flag of flags) if (isTrue(query.get(flag))) options[flag] = true
  const container = query.get('container') ?? ''
  if (container !== '') options['container'] = container
  if (kind === 'PodExecOptions') options['command'] = query.getAll('command')
  return options
}
