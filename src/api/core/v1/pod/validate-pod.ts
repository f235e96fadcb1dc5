import { forbiddenField } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Pod } from '../../../types/core.v1.ts'
import { validateImageText } from './validate-container.ts'
import { validatePodAnnotations, validateProfilesMatch } from './validate-pod-annotations.ts'
import { validatePodSpec } from './validate-pod-spec.ts'

/** What must hold of every pod, new or changed. */
export function validatePod({ metadata, spec }: Pod): FieldError[] {
  const annotations = metadata.annotations ?? {}
  return [
    ...validatePodAnnotations(annotations, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { name: metadata.name, annotations }),
    ...validateTokens({ spec }),
    ...(['containers', 'initContainers'] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) => validateImageText(container, `spec.${list}[${index}]`)),
    ),
  ]
}

/** A new pod cannot have what others add to it later. */
export function validateNewPod(pod: Pod): FieldError[] {
  const { metadata, spec } = pod
  const errors = validatePod(pod)
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
  }
  if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return [...errors, ...validateProfilesMatch(metadata.annotations ?? {}, spec, 'spec')]
}

/** Tokens are made for a service account. */
function validateTokens({ spec }: Pick<Pod, 'spec'>): FieldError[] {
  if ((spec.serviceAccountName ?? '') !== '') return []
  return (spec.volumes ?? []).flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, sourceIndex) => {
      if (serviceAccountToken === undefined) return []
      const at = `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`
      return [forbiddenField(at, 'must not be specified when serviceAccountName is not set')]
    }),
  )
}
