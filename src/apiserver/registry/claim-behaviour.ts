import type { UserInfo } from '#api/meta/exchange.ts'
import { deepEqual } from '#api/meta/deep-equal.ts'
import { forbiddenField } from '#api/meta/field-errors.ts'
import { invalid, isStatusError, type FieldError } from '#api/meta/status.ts'
import { allocatedIds, deviceId, sharedDeviceId } from '#api/resource/v1/device-ids.ts'
import type {
  AllocationResult,
  DeviceClaim,
  ResourceClaim,
  ResourceClaimStatus,
  ResourceClaimTemplate,
} from '#api/types/resource.v1.ts'
import { namespaces } from '#api/types/resources.ts'
import type { ResourceContext } from '../request-context.ts'
import { requireAllowed } from '../steps/authorize.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'

const adminLabel = 'resource.kubernetes.io/admin-access'

/** Devices that others use are looked at only in namespaces that administrators have marked for that (KEP-5018). */
export const claimBehaviour: ResourceBehaviour = {
  beforeCreate(context, draft) {
    const { spec, metadata } = draft as unknown as ResourceClaim
    refuseIfAny(context, metadata.name, adminErrors(context, adminRequest(spec.devices)))
  },
  beforeUpdate(context, draft, old) {
    if (context.info.subresource !== 'status') return
    const { status = {} } = draft as unknown as ResourceClaim
    const before = (old as ResourceClaim).status ?? {}
    const wasAdmin = adminResult(before.allocation) !== undefined
    refuseIfAny(context, old.metadata.name, [
      ...(wasAdmin ? [] : adminErrors(context, adminResult(status.allocation))),
      ...bindingErrors(context, status, before),
      ...driverErrors(context, status, before),
    ])
  },
}

export const claimTemplateBehaviour: ResourceBehaviour = {
  beforeCreate(context, draft) {
    const { spec, metadata } = draft as unknown as ResourceClaimTemplate
    refuseIfAny(context, metadata.name, adminErrors(context, adminRequest(spec.spec?.devices)))
  },
}

function refuseIfAny({ resource }: ResourceContext, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ ...resource, name }, errors)
}

/** The field that asks for administrators' access. */
function adminRequest(devices: DeviceClaim | undefined): string | undefined {
  const index = (devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true)
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`
}

function adminResult(allocation: AllocationResult | undefined): string | undefined {
  const index = (allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true)
  return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`
}

function adminErrors({ server, info }: ResourceContext, path: string | undefined): readonly FieldError[] {
  if (path === undefined) return []
  const labels = server.reader.get(namespaces, info.namespace)?.metadata.labels
  if (labels?.[adminLabel] === 'true') return []
  const label = `\`${adminLabel}: true\` label on the containing namespace`
  return [forbiddenField(path, `admin access to devices requires the ${label}`)]
}

interface Asked {
  readonly verb: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** Why the user may not do a thing that only rules speak of, or nothing. */
function denial({ server, info, user }: ResourceContext, { verb, ...what }: Asked): string | undefined {
  try {
    requireAllowed({ ...info, ...what, user, verb: verb as typeof info.verb }, server)
    return undefined
  } catch (error) {
    if (isStatusError(error, 'Forbidden')) return error.message
    throw error
  }
}

/** Who gives devices to claims, and claims to pods, needs a right of its own for that. */
function bindingErrors(
  context: ResourceContext,
  now: ResourceClaimStatus,
  before: ResourceClaimStatus,
): readonly FieldError[] {
  if (deepEqual(now.allocation, before.allocation) && deepEqual(now.reservedFor, before.reservedFor)) return []
  const { verb } = context.info
  const denied = denial(context, { verb, subresource: 'binding', namespace: '', name: '' })
  if (denied === undefined) return []
  const needed = `requires resource="resourceclaims/binding", verb="${verb}" permission`
  const detail = `changing status.allocation or status.reservedFor ${needed}: ${denied}`
  return [forbiddenField('status', detail)]
}

/** A driver speaks of its own devices alone, and one that runs on a node of what that node has. */
function driverErrors(
  context: ResourceContext,
  now: ResourceClaimStatus,
  before: ResourceClaimStatus,
): readonly FieldError[] {
  const { verb, namespace } = context.info
  const isLocal = isOnNode(context.user, nodeOf(now.allocation))
  const verbs = [...(isLocal ? [`associated-node:${verb}`] : []), `arbitrary-node:${verb}`]
  return changedDrivers(now, before).flatMap((name) => {
    const denials = verbs.map((each) => denial(context, { verb: each, subresource: 'driver', namespace, name }))
    if (denials.includes(undefined)) return []
    const needed = `requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission`
    return forbiddenField('status.devices', `changing status.devices ${needed}: ${denials[0]}`)
  })
}

/** The drivers of devices whose status came, went or changed. */
function changedDrivers(now: ResourceClaimStatus, before: ResourceClaimStatus): readonly string[] {
  const old = new Map((before.devices ?? []).map((device) => [sharedDeviceId(device), device]))
  const changed = new Set<string>()
  for (const device of now.devices ?? []) {
    const id = sharedDeviceId(device)
    if (!deepEqual(old.get(id), device)) changed.add(device.driver)
    old.delete(id)
  }
  // What is said of a device goes with it: that is the business of who takes it back.
  const allocated = allocatedIds(now, deviceId)
  for (const device of old.values()) if (allocated.has(deviceId(device))) changed.add(device.driver)
  return [...changed].toSorted()
}

/** The one node that an allocation binds to. */
function nodeOf(allocation: AllocationResult | undefined): string | undefined {
  const [term, ...others] = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [field, ...more] = term?.matchFields ?? []
  if (others.length > 0 || more.length > 0 || (term?.matchExpressions ?? []).length > 0) return undefined
  if (field?.key !== 'metadata.name' || field.operator !== 'In' || field.values?.length !== 1) return undefined
  return field.values[0]
}

function isOnNode({ name, extra }: UserInfo, nodeName: string | undefined): boolean {
  const nodes = extra?.['authentication.kubernetes.io/node-name'] ?? []
  const isOne = nodeName !== undefined && nodes.length === 1 && nodes[0] === nodeName
  return isOne && name.startsWith('system:serviceaccount:')
}
