import { invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import { compareQuantities, quantityValue } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { PersistentVolumeClaim } from '../../types/core.v1.ts'
import { isNativeResource } from './validate-resources.ts'

const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

/** What a report about a claim may say. */
export function validateClaimStatus({ spec, status }: PersistentVolumeClaim): FieldError[] {
  const errors = (spec.accessModes ?? []).length === 0 ? [required('Spec.accessModes')] : []
  for (const [name, quantity] of Object.entries(status?.capacity ?? {})) {
    errors.push(...validateBytes(quantity, `status.capacity[${name}]`))
  }
  const states = 'status.allocatedResourceStatuses'
  for (const [name, state] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    errors.push(...validateName(name, states))
    // The API server names the resource where the state is wrong.
    if (!resizeStates.includes(state)) errors.push(notSupported(states, name, resizeStates))
  }
  const allocated = 'status.allocatedResources'
  for (const [name, quantity] of Object.entries(status?.allocatedResources ?? {})) {
    const wrong = validateName(name, allocated)
    errors.push(...(wrong.length > 0 ? wrong : validateBytes(quantity, `${allocated}[${name}]`)))
  }
  return errors
}

/** Nothing of Kubernetes' own but storage. */
function validateName(name: string, path: string): FieldError[] {
  const errors = invalidForEach(path, name, qualifiedName(name))
  if (errors.length > 0 || !isNativeResource(name) || name === 'storage') return errors
  return [notSupported(path, name, ['storage'])]
}

/** The message has the plain number. */
export function validateBytes(quantity: string, path: string): FieldError[] {
  if (compareQuantities(quantity, '0') >= 0) return []
  return [invalidValue(path, quantityValue(quantity), 'must be a valid resource quantity')]
}
