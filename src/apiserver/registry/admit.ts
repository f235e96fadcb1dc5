import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts'
import { Reinvocation } from '../admission/reinvocation.ts'
import type { ResourceContext } from '../request-context.ts'
import type { ServedResource } from './served-resource.ts'

export interface AdmissionSubject {
  readonly operation: AdmissionRequest['operation']
  readonly object: Draft<KubernetesObject> | undefined
  readonly oldObject: KubernetesObject | undefined
  readonly dryRun: boolean
}

/** Asks the plugins that change objects, in order; a second time when one from outside changed something. */
export async function admitMutating(context: ResourceContext, subject: AdmissionSubject): Promise<void> {
  const reinvocation = new Reinvocation()
  const request = { ...admissionRequest(context, subject), reinvocation }
  await mutateOnce(context, request)
  if (!reinvocation.wasChanged) return
  reinvocation.isSecond = true
  await mutateOnce(context, request)
}

async function mutateOnce(context: ResourceContext, request: AdmissionRequest): Promise<void> {
  for (const plugin of pluginsFor(context, request).mutating) {
    const given = plugin.mutate?.(request, context.server)
    if (given instanceof Promise) await given
  }
}

/** Asks the plugins that only judge, in order. */
export async function admitValidating(context: ResourceContext, subject: AdmissionSubject): Promise<void> {
  const request = admissionRequest(context, subject)
  for (const plugin of pluginsFor(context, request).validating) {
    const given = plugin.validate?.(request, context.server)
    if (given instanceof Promise) await given
  }
}

function admissionRequest({ info, user, warnings }: ResourceContext, subject: AdmissionSubject): AdmissionRequest {
  return { info, user, ...subject, warn: (message) => void warnings.push(message) }
}

interface InterestedPlugins {
  readonly mutating: readonly AdmissionPlugin[]
  readonly validating: readonly AdmissionPlugin[]
}

/** Who wants to see what, by the plugins of a server and by the resource: a few of forty, the same for each write. */
const interested = new WeakMap<readonly AdmissionPlugin[], WeakMap<ServedResource, Map<string, InterestedPlugins>>>()

function pluginsFor({ server, resource }: ResourceContext, request: AdmissionRequest): InterestedPlugins {
  let byResource = interested.get(server.admission)
  if (byResource === undefined) interested.set(server.admission, (byResource = new WeakMap()))
  let byOperation = byResource.get(resource)
  if (byOperation === undefined) byResource.set(resource, (byOperation = new Map()))
  const { resource: plural, subresource } = request.info
  const key = `${request.operation} ${plural}/${subresource}`
  const known = byOperation.get(key)
  if (known !== undefined) return known
  const plugins = server.admission.filter((plugin) => wants(plugin, request))
  const found = {
    mutating: plugins.filter(({ mutate }) => mutate !== undefined),
    validating: plugins.filter(({ validate }) => validate !== undefined),
  }
  byOperation.set(key, found)
  return found
}

function wants(plugin: AdmissionPlugin, { info, operation }: AdmissionRequest): boolean {
  if (!plugin.operations.includes(operation)) return false
  const below = plugin.subresources ?? []
  if (info.subresource !== '' && !below.includes('*') && !below.includes(info.subresource)) return false
  const resource = info.group === '' ? info.resource : `${info.group}/${info.resource}`
  return plugin.resources.includes('*') || plugin.resources.includes(resource)
}
