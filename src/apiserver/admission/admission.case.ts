import type { UserInfo } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { manualClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { createAuthorizers } from '../authz/authorizers.ts'
import type { TestReader } from '../registry/object-reader.case.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './admission.ts'

/** One write in a test: the path parts, the object, and who writes. */
export interface TestWrite {
  /** `pods`, `pods/eviction`, `deployments.apps`. */
  readonly to: string
  readonly object?: object
  readonly old?: object
  readonly operation?: AdmissionRequest['operation']
  readonly user?: UserInfo
  readonly name?: string
  readonly namespace?: string
  readonly warn?: (message: string) => void
}

const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }

/** Takes a write through the mutating and the validating half of the plugins that want it; returns the object. */
export async function admit(
  plugins: readonly AdmissionPlugin[],
  reader: TestReader,
  write: TestWrite,
  extra: Partial<AdmissionContext> = {},
): Promise<KubernetesObject> {
  const request = requestOf(write)
  const context = {
    reader,
    clock: manualClock(),
    random: seededRandom(7),
    authorizers: createAuthorizers(reader),
    ...extra,
  }
  const wanting = plugins.filter((plugin) => wants(plugin, request))
  for (const plugin of wanting) await plugin.mutate?.(request, context)
  for (const plugin of wanting) await plugin.validate?.(request, context)
  return request.object as unknown as KubernetesObject
}

function requestOf({ to, object, old, user = admin, namespace = 'shop', ...write }: TestWrite): AdmissionRequest {
  const [path = '', subresource = ''] = to.split('/')
  const [resource = '', ...group] = path.split('.')
  const draft = structuredClone(object) as AdmissionRequest['object']
  return {
    info: {
      isResourceRequest: true,
      path: '',
      verb: 'create',
      group: group.join('.'),
      version: 'v1',
      resource,
      subresource,
      namespace,
      name: write.name ?? '',
      rest: '',
    },
    operation: write.operation ?? (old === undefined ? 'CREATE' : 'UPDATE'),
    user,
    object: draft,
    oldObject: old as KubernetesObject | undefined,
    dryRun: false,
    ...(write.warn && { warn: write.warn }),
  }
}

function wants(plugin: AdmissionPlugin, { info, operation }: AdmissionRequest): boolean {
  const resource = info.group === '' ? info.resource : `${info.group}/${info.resource}`
  const subresourceFits = info.subresource === '' || (plugin.subresources ?? []).includes(info.subresource)
  return (
    plugin.operations.includes(operation) &&
    subresourceFits &&
    ['*', resource].some((name) => plugin.resources.includes(name))
  )
}
