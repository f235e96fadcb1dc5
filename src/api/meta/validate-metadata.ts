import type { KubernetesObject } from './resource.ts'
import type { NameRule } from '../kind.ts'
import type { ObjectMeta, OwnerReference } from '../types/meta.v1.ts'
import { forbiddenField, immutableField, invalidForEach, invalidValue, required } from './field-errors.ts'
import { checkName, dnsLabel, qualifiedName } from './names.ts'
import type { FieldError } from './status.ts'
import { validateAnnotations, validateLabels } from './validate-labels.ts'

export interface MetadataRules {
  readonly namespaced: boolean
  /** Default `dnsSubdomain`. */
  readonly nameRule?: NameRule
  /** Built-in kinds insist on finalizers with a domain; custom resources do not. */
  readonly builtIn?: boolean
}

/** What is wrong with the metadata of an object to be stored: the first errors of every kind's validation. */
export function validateMetadata(
  object: KubernetesObject,
  rules: MetadataRules,
  path: string = 'metadata',
): FieldError[] {
  const metadata: Partial<ObjectMeta> = object.metadata ?? {}
  return [
    ...validateName(metadata, rules.nameRule ?? 'dnsSubdomain', path),
    ...validateNamespace(metadata.namespace ?? '', rules.namespaced, `${path}.namespace`),
    ...validateGeneration(metadata.generation ?? 0, `${path}.generation`),
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers, rules.builtIn !== false, `${path}.finalizers`),
  ]
}

/** What is wrong with a change of the metadata. */
export function validateMetadataUpdate(
  object: KubernetesObject,
  old: KubernetesObject,
  path: string = 'metadata',
): FieldError[] {
  const now = object.metadata
  const before = old.metadata
  const errors: FieldError[] = []
  if (before.deletionTimestamp !== undefined) {
    errors.push(...validateNoNewFinalizers(now.finalizers, before.finalizers, `${path}.finalizers`))
  }
  if ((now.generation ?? 0) < (before.generation ?? 0)) {
    errors.push(invalidValue(`${path}.generation`, now.generation ?? 0, 'must not be decremented'))
  }
  for (const field of fixedFields) {
    if (now[field] === before[field]) continue
    errors.push(invalidValue(`${path}.${field}`, now[field] ?? emptyValueOf(field), immutableField))
  }
  return errors
}

const fixedFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function emptyValueOf(field: (typeof fixedFields)[number]): '' | null {
  return field === 'name' || field === 'namespace' || field === 'uid' ? '' : null
}

function validateName({ name, generateName }: Partial<ObjectMeta>, rule: NameRule, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (generateName !== undefined && generateName !== '') {
    errors.push(...invalidForEach(`${path}.generateName`, generateName, checkName(rule, generateName, true)))
  }
  if (name === undefined || name === '') errors.push(required(`${path}.name`, 'name or generateName is required'))
  else errors.push(...invalidForEach(`${path}.name`, name, checkName(rule, name)))
  return errors
}

function validateNamespace(namespace: string, namespaced: boolean, path: string): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbiddenField(path, 'not allowed on this type')]
  return namespace === '' ? [required(path)] : invalidForEach(path, namespace, dnsLabel(namespace))
}

function validateGeneration(generation: number, path: string): FieldError[] {
  return generation >= 0 ? [] : [invalidValue(path, generation, 'must be greater than or equal to 0')]
}

function validateOwnerReferences(owners: readonly OwnerReference[] | undefined, path: string): FieldError[] {
  const errors = (owners ?? []).flatMap((owner) => validateOwnerReference(owner, path))
  const controllers = (owners ?? []).filter(({ controller }) => controller === true)
  const [first, ...others] = controllers
  for (const other of others) {
    const names = `${first?.kind}/${first?.name} and ${other.kind}/${other.name}`
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${names}`
    errors.push(invalidValue(path, owners?.map(ownerForMessage), detail))
  }
  return errors
}

function validateOwnerReference(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { apiVersion, kind, name, uid } = owner
  if (apiVersion.split('/').at(-1) === '') {
    errors.push(invalidValue(`${path}.apiVersion`, apiVersion, 'version must not be empty'))
  }
  for (const [field, value] of Object.entries({ kind, name, uid })) {
    if (value === '') errors.push(invalidValue(`${path}.${field}`, value, 'must not be empty'))
  }
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push(invalidValue(path, ownerForMessage(owner), '/v1, Kind=Event is disallowed from being an owner'))
  }
  return errors
}

function ownerForMessage({
  apiVersion,
  kind,
  name,
  uid,
  controller,
  blockOwnerDeletion,
}: OwnerReference): OwnerReference {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion }
}

const standardFinalizers: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion']

function validateFinalizers(finalizers: readonly string[] | undefined, builtIn: boolean, path: string): FieldError[] {
  if (finalizers === undefined) return []
  const errors = finalizers.flatMap((finalizer) => invalidForEach(path, finalizer, qualifiedName(finalizer)))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  if (!builtIn) return errors
  for (const [index, finalizer] of finalizers.entries()) {
    if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) continue
    const detail = 'name is neither a standard finalizer name nor is it fully qualified'
    errors.push(invalidValue(`${path}[${index}]`, finalizer, detail))
  }
  return errors
}

function validateNoNewFinalizers(
  now: readonly string[] | undefined,
  before: readonly string[] | undefined,
  path: string,
): FieldError[] {
  const added = (now ?? []).filter((finalizer) => !before?.includes(finalizer)).sort()
  if (added.length === 0) return []
  const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
  return [forbiddenField(path, detail)]
}
