import { deepEqual } from '../../meta/deep-equal.ts'
import { forbiddenField, immutableField, invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { unifiedDiff } from '../../meta/unified-diff.ts'
import type { NodeSelectorRequirement, PersistentVolume, PersistentVolumeSpec } from '../../types/core.v1.ts'
import { coreForm } from './internal-types.ts'
import { volumeSources } from './validate-persistent-volume.ts'

/** What a volume is stays; who may expand it can be told later. */
export function validateVolumeUpdate({ spec: now }: PersistentVolume, { spec: old }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = []
  const wanted = withoutNewExpandSecret(now, old)
  if (volumeSources.some((name) => !deepEqual(wanted[name], old[name]))) {
    const [left, right] = [old, wanted].map((spec) => coreForm.text('PersistentVolumeSource', spec))
    const detail = `spec.persistentvolumesource is immutable after creation\n${unifiedDiff(left ?? '', right ?? '')}`
    errors.push(forbiddenField('spec.persistentvolumesource', detail))
  }
  if (now.volumeMode !== old.volumeMode) {
    errors.push(invalidValue('volumeMode', now.volumeMode ?? null, immutableField))
  }
  errors.push(...validateNodeAffinityUpdate(now, old))
  if (old.volumeAttributesClassName !== undefined && now.volumeAttributesClassName === undefined) {
    errors.push(forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  }
  return errors
}

function withoutNewExpandSecret(now: PersistentVolumeSpec, old: PersistentVolumeSpec): PersistentVolumeSpec {
  if (now.csi === undefined || old.csi === undefined || old.csi.controllerExpandSecretRef !== undefined) return now
  return { ...now, csi: { ...now.csi, controllerExpandSecretRef: undefined } }
}

/** Labels of nodes may take their newer names. */
const newerNames: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

type Affinity = PersistentVolumeSpec['nodeAffinity']

function validateNodeAffinityUpdate(now: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  if (old.nodeAffinity === undefined || deepEqual(now.nodeAffinity, renamed(old.nodeAffinity, now.nodeAffinity))) {
    return []
  }
  const shown = now.nodeAffinity === undefined ? null : coreForm.of('VolumeNodeAffinity', now.nodeAffinity)
  return [invalidValue('nodeAffinity', shown, `${immutableField}, except for updating from beta label to GA`)]
}

/** The old affinity with those keys renamed that the new one renames. */
function renamed(old: Affinity, now: Affinity): unknown {
  const terms = old?.required?.nodeSelectorTerms.map((term, index) => {
    const wanted = now?.required?.nodeSelectorTerms?.[index]
    return {
      matchExpressions: renamedKeys(term.matchExpressions, wanted?.matchExpressions),
      matchFields: renamedKeys(term.matchFields, wanted?.matchFields),
    }
  })
  return { required: { nodeSelectorTerms: terms } }
}

type Requirements = readonly NodeSelectorRequirement[] | undefined

function renamedKeys(old: Requirements, now: Requirements): Requirements {
  return old?.map((requirement, index) => {
    const key = now?.[index]?.key
    return key !== undefined && newerNames[requirement.key] === key ? { ...requirement, key } : requirement
  })
}
