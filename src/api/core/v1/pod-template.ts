import type { Draft } from '../../kind.ts'
import { defineKind } from '../../kind.ts'
import { containerCells, labelsCell } from '../../meta/cells.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateAnnotations, validateLabels } from '../../meta/validate-labels.ts'
import type { PodTemplate, PodTemplateSpec } from '../../types/core.v1.ts'
import { setPodSpecDefaults } from './pod/defaults.ts'
import { validatePodAnnotations, validateProfilesMatch } from './pod/validate-pod-annotations.ts'
import { validatePodSpec } from './pod/validate-pod-spec.ts'
import { templateWarnings } from './pod/warnings.ts'

/** Fills in a pod template; one that is missing becomes an empty one, which validation then refuses. */
export function templateWithDefaults(template: Draft<PodTemplateSpec> | undefined): Draft<PodTemplateSpec> {
  const filled: Draft<PodTemplateSpec> = template ?? { spec: { containers: [] } }
  filled.metadata ??= {}
  setPodSpecDefaults((filled.spec ??= { containers: [] }))
  return filled
}

/** Labels, annotations and spec of a pod template. */
export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const annotations = template.metadata?.annotations ?? {}
  const errors = [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(annotations, `${path}.annotations`),
    ...validatePodAnnotations(annotations, template.spec, `${path}.annotations`),
    ...validatePodSpec(template.spec, `${path}.spec`),
    ...validateProfilesMatch(annotations, template.spec, `${path}.spec`),
  ]
  if ((template.spec.ephemeralContainers ?? []).length > 0) {
    const message = 'Forbidden: ephemeral containers not allowed in pod template'
    errors.push({ type: 'FieldValueForbidden', field: `${path}.spec.ephemeralContainers`, message })
  }
  return errors
}

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  hasGeneration: true,
  setDefaults: (draft) => void (draft.template = templateWithDefaults(draft.template)),
  validate: ({ template }) => (template === undefined ? [] : validatePodTemplate(template, 'template')),
  warnings: ({ template }, old) => templateWarnings(template, old?.template, 'template'),
  cells: ({ metadata, template }) => [
    metadata.name,
    ...containerCells(template?.spec.containers),
    labelsCell(template?.metadata?.labels),
  ],
  deleteReturnsObject: true,
})
