import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { isExtendedResource } from '../../core/v1/validate-resources.ts'
import type { DeviceClass, DeviceClassSpec } from '../../types/resource.v1.ts'
import { validateConfigs, validateSelectors } from './validate-device-parts.ts'

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  hasGeneration: true,
  validate: ({ spec }) => validateClass(spec, {}),
  validatesUpdateAlone: true,
  validateUpdate: ({ spec }, { spec: old }) => validateClass(spec, old),
  cells: nameAndAge,
  deleteReturnsObject: true,
})

/** What was stored before stays good: rules for it may have become stricter since. */
function validateClass(
  { selectors, config, extendedResourceName }: DeviceClassSpec,
  old: DeviceClassSpec,
): FieldError[] {
  const errors = deepEqual(selectors, old.selectors) ? [] : validateSelectors(selectors ?? [], 'spec.selectors')
  if (!deepEqual(config, old.config)) errors.push(...validateConfigs(config ?? [], 'spec.config'))
  if (extendedResourceName !== undefined && !isExtendedResource(extendedResourceName)) {
    const detail = 'must be a valid extended resource name'
    errors.push(invalidValue('spec.extendedResourceName', extendedResourceName, detail))
  }
  return errors
}
