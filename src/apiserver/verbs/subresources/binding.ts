import type { ApiResponse } from '#api/meta/exchange.ts'
import { StatusError, badRequest, conflict } from '#api/meta/status.ts'
import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Binding, Pod } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { objectResponse } from '../../encoding/responses.ts'
import { admitMutating, admitValidating } from '../../registry/admit.ts'
import { decodeObject } from '../../registry/decode-body.ts'
import { updateObject, type UpdatePart } from '../../registry/update-object.ts'
import { readWriteOptions, type WriteOptions } from '../../registry/write-options.ts'
import type { ResourceContext } from '../../request-context.ts'
import { unknownResource } from '../../steps/refusals.ts'

const bindingKind = { group: '', version: 'v1', kind: 'Binding' } as const

/** POST of `bindings`: the same as below, by the name in the body. */
export async function createBindingOfCollection(context: ResourceContext): Promise<ApiResponse> {
  const { info, server } = context
  const options = readWriteOptions(context, 'CreateOptions')
  const draft = await decodeObject(context, bindingKind, options.fieldValidation)
  const pods = server.resources.find('', 'v1', 'pods')
  if (pods === undefined) throw unknownResource()
  const target = { ...info, resource: 'pods', subresource: 'binding', name: draft.metadata.name }
  return bind({ ...context, resource: pods, info: target }, draft, options)
}

/** POST of `pods/NAME/binding`: gives the pod its node, once. */
export async function createBinding(context: ResourceContext): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'CreateOptions')
  return bind(context, await decodeObject(context, bindingKind, options.fieldValidation), options)
}

async function bind(
  context: ResourceContext,
  draft: Draft<KubernetesObject>,
  options: WriteOptions,
): Promise<ApiResponse> {
  const { info } = context
  const binding = draft as unknown as Draft<Binding>
  binding.metadata.namespace ??= info.namespace
  if (binding.metadata.name !== info.name) throw badRequest('name in URL does not match name in Binding object')
  const subject = { operation: 'CREATE', object: draft, oldObject: undefined, dryRun: options.dryRun } as const
  await admitMutating(context, subject)
  checkTarget(binding)
  await admitValidating(context, subject)
  await updateObject({
    context,
    options,
    managers: 'given',
    part: bindingPart,
    change: (current) => bound(context, current as Pod, binding),
  })
  return objectResponse({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201)
}

/** The pod may be changed in ways that no client may. */
const bindingPart: UpdatePart = {
  keepsGeneration: true,
  isOwnChange: true,
  prepare: () => undefined,
  validate: () => [],
}

function checkTarget({ target }: Draft<Binding>): void {
  const errors: string[] = []
  const { kind = '', name = '' } = target
  if (kind !== '' && kind !== 'Node') {
    errors.push(`target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`)
  }
  if (name === '') errors.push('target.name: Required value')
  if (errors.length === 0) return
  throw new StatusError('', errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`, { code: 500 })
}

function bound({ info, server }: ResourceContext, pod: Pod, binding: Draft<Binding>): Draft<Pod> {
  const refuse = (why: string): StatusError => conflict({ group: '', resource: 'pods/binding', name: info.name }, why)
  const { metadata, spec } = pod
  if (metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${metadata.name} is being deleted, cannot be assigned to a host`)
  if ((spec.nodeName ?? '') !== '') {
    throw refuse(`pod ${metadata.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  }
  if ((spec.schedulingGates ?? []).length > 0) throw refuse(`pod ${metadata.name} has non-empty .spec.schedulingGates`)
  const annotations = { ...metadata.annotations, ...binding.metadata.annotations }
  const uid = binding.metadata.uid ?? ''
  // A pod with a node no longer waits for one (KEP-5278).
  const { nominatedNodeName: _nominated, ...status } = pod.status ?? {}
  // What stays is shared with the stored pod.
  return {
    ...pod,
    metadata: {
      ...metadata,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(binding.metadata.labels !== undefined && { labels: { ...metadata.labels, ...binding.metadata.labels } }),
      ...(uid !== '' && { uid }),
    },
    spec: { ...spec, nodeName: binding.target.name ?? '' },
    status: { ...status, conditions: scheduled(pod, formatTime(server.clock.now())) },
  } as Draft<Pod>
}

type Conditions = NonNullable<NonNullable<Pod['status']>['conditions']>

function scheduled({ status }: Pod, now: string): Conditions {
  const others = (status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled')
  return [
    ...others,
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now },
  ] as Conditions
}
