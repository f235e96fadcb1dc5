import type { ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { objectResponse } from '../encoding/responses.ts'
import { compileSelection } from '../registry/selection.ts'
import type { ResourceContext } from '../request-context.ts'
import type { ServerParts } from '../server-parts.ts'

/** The parts of the control plane, asked now: nothing of them is stored. */
function componentStatuses({ components, feed }: ServerParts): readonly KubernetesObject[] {
  const store = { name: 'etcd-0', ...(feed.hasFailed && { problem: 'the store cannot be read' }) }
  return [...components(), store].map(({ name, problem }) => {
    const condition = { type: 'Healthy', status: problem === undefined ? 'True' : 'False', message: problem ?? 'ok' }
    return {
      apiVersion: 'v1',
      kind: 'ComponentStatus',
      metadata: { name, creationTimestamp: null },
      conditions: [condition],
    } as unknown as KubernetesObject
  })
}

export function listComponentStatuses({ resource, request, info, server }: ResourceContext): ApiResponse {
  const labelSelector = request.query.get('labelSelector') ?? ''
  const fieldSelector = request.query.get('fieldSelector') ?? ''
  const { matches } = compileSelection(resource, { labelSelector, fieldSelector, name: info.name })
  const items = componentStatuses(server).filter(matches)
  return objectResponse({ kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items })
}

export function getComponentStatus({ info, server }: ResourceContext): ApiResponse {
  const found = componentStatuses(server).find(({ metadata }) => metadata.name === info.name)
  if (found === undefined) throw new StatusError('', `Component not found: ${info.name}`, { code: 500 })
  return objectResponse(found)
}
