import { apiVersionOf, type KubernetesObject } from '../meta/resource.ts'
import { horizontalPodAutoscalerToV1, horizontalPodAutoscalerToV2 } from './autoscaling.ts'
import { eventToCore, eventToEventsGroup } from './events.ts'

/** Kinds that are served in more than one form: how to get from one to the other without loss. */
interface Conversion {
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly convert: (object: KubernetesObject) => KubernetesObject
}

const conversions: readonly Conversion[] = [
  { kind: 'Event', from: 'v1', to: 'events.k8s.io/v1', convert: eventToEventsGroup },
  { kind: 'Event', from: 'events.k8s.io/v1', to: 'v1', convert: eventToCore },
  {
    kind: 'HorizontalPodAutoscaler',
    from: 'autoscaling/v2',
    to: 'autoscaling/v1',
    convert: horizontalPodAutoscalerToV1,
  },
  {
    kind: 'HorizontalPodAutoscaler',
    from: 'autoscaling/v1',
    to: 'autoscaling/v2',
    convert: horizontalPodAutoscalerToV2,
  },
]

/**
 * The object in the form of another group and version; the same object if it has it already. The input stays as it is
 * and shares what did not change with the result. Throws RangeError where nothing leads from one to the other.
 */
export function convertObject<T extends KubernetesObject>(
  object: KubernetesObject,
  target: { readonly group: string; readonly version: string },
): T {
  const to = apiVersionOf(target)
  if (object.apiVersion === to) return object as T
  const conversion = conversions.find(
    (each) => each.kind === object.kind && each.from === object.apiVersion && each.to === to,
  )
  if (!conversion) throw new RangeError(`Cannot convert ${object.apiVersion} ${object.kind} to ${to}`)
  return conversion.convert(object) as T
}
