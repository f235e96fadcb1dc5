import { invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { dnsSubdomain, qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'

/** What both forms of events are checked by. */
export interface CheckedEvent {
  readonly namespace: string
  readonly objectNamespace: string
  readonly hasEventTime: boolean
  readonly controller: string
  readonly instance: string
  readonly action: string
  readonly reason: string
  readonly note: string
}

const longestText = 128
const longestNote = 1024

/** Rules of both forms; events with an event time must tell more. `controllerField` differs between the forms. */
export function validateEventFacts(event: CheckedEvent, controllerField: string): FieldError[] {
  const { namespace, controller, instance, action, reason, note } = event
  const errors = validateObjectNamespace(event)
  if (event.hasEventTime) {
    if (controller === '') errors.push(required(controllerField))
    errors.push(...invalidForEach(controllerField, controller, qualifiedName(controller)))
    for (const [field, value] of Object.entries({ reportingInstance: instance, action, reason })) {
      if (value === '') errors.push(required(field))
      errors.push(...validateLength(value, longestText, field))
    }
    errors.push(...validateLength(note, longestNote, 'message'))
  }
  return [...errors, ...invalidForEach('namespace', namespace, dnsSubdomain(namespace))]
}

function validateLength(value: string, longest: number, path: string): FieldError[] {
  return Buffer.byteLength(value) > longest ? [invalidValue(path, '', `can have at most ${longest} characters`)] : []
}

/** Events of what has no namespace stand in `default`, newer ones in `kube-system` too. */
function validateObjectNamespace({ namespace, objectNamespace, hasEventTime }: CheckedEvent): FieldError[] {
  const homes = hasEventTime ? ['default', 'kube-system'] : ['', 'default']
  const fits = objectNamespace === '' ? homes.includes(namespace) : hasEventTime || namespace === objectNamespace
  return fits ? [] : [invalidValue('involvedObject.namespace', objectNamespace, 'does not match event.namespace')]
}
