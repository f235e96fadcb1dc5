import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts'
import { Reinvocation } from '../admission/reinvocation.ts'
import type { ResourceContext } from '../request-context.ts'

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

async function mutateOnce({ server }: ResourceContext, request: AdmissionRequest): Promise<void> {
  for (const plugin of server.admission) {
    if (plugin.mutate === undefined || !wants(plugin, request)) continue
    const given = plugin.mutate(request, server)
    if (given instanceof Promise) await given
  }
}

/** Asks the plugins that only judge, in order. */
export async function admitValidating(context: ResourceContext, subject: AdmissionSubject): Promise<void> {
  const request = admissionRequest(context, subject)
  for (const plugin of context.server.admission) {
    if (plugin.validate === undefined || !wants(plugin, request)) continue
    const given = plugin.validate(request, context.server)
    if (given instanceof Promise) await given
  }
}

function admissionRequest({ info, user, warnings }: ResourceContext, subject: AdmissionSubject): AdmissionRequest {
  return { info, user, ...subject, warn: (message) => void warnings.push(message) }
}

function wants(plugin: AdmissionPlugin, { info, operation }: AdmissionRequest): boolean {
  if (!plugin.operations.includes(operation)) return false
  const below = plugin.subresources ?? []
  if (info.subresource !== '' && !below.includes('*') && !below.includes(info.subresource)) return false
  const resource = info.group === '' ? info.resource : `${info.group}/${info.resource}`
  return plugin.resources.includes('*') || plugin.resources.includes(resource)
}
