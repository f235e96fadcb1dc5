import {
  abstractType,
  boolType,
  dynType,
  intType,
  listOf,
  mapOf,
  objectType,
  stringType,
  timestampType,
  type Type,
} from '#lib/cel/types.ts'
import { once } from '../schema/load.ts'

/** The types of what expressions about requests see (Kubernetes docs, "Validating Admission Policy: Validation expression"). */

const texts = (...names: readonly string[]): Record<string, Type> =>
  Object.fromEntries(names.map((name) => [name, stringType]))

const requestType: () => Type = once(() => {
  const kind = objectType('kubernetes.GroupVersionKind', texts('group', 'version', 'kind'))
  const resource = objectType('kubernetes.GroupVersionResource', texts('group', 'version', 'resource'))
  const userInfo = objectType('kubernetes.UserInfo', {
    ...texts('username', 'uid'),
    groups: listOf(stringType),
    extra: mapOf(stringType, listOf(stringType)),
  })
  return objectType('kubernetes.AdmissionRequest', {
    ...texts('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    userInfo,
    dryRun: boolType,
    options: dynType,
  })
})

const namespaceType: () => Type = once(() => {
  const metadata = objectType('kubernetes.NamespaceMetadata', {
    ...texts('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: mapOf(stringType, stringType),
    annotations: mapOf(stringType, stringType),
    creationTimestamp: timestampType,
    deletionTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    generation: intType,
    finalizers: listOf(stringType),
  })
  const condition = objectType('kubernetes.NamespaceCondition', {
    ...texts('type', 'status', 'reason', 'message'),
    lastTransitionTime: timestampType,
  })
  return objectType('kubernetes.Namespace', {
    metadata,
    spec: objectType('kubernetes.NamespaceSpec', { finalizers: listOf(stringType) }),
    status: objectType('kubernetes.NamespaceStatus', { ...texts('phase'), conditions: listOf(condition) }),
  })
})

export interface RequestTypes {
  /** The type of the objects of the request; anything, where the expression is for several. */
  readonly object?: Type
  /** Of the parameters; absent: there are none. */
  readonly params?: Type | undefined
}

/** The variables that expressions about requests have, beside those of their policy. */
export function requestVariables({ object = dynType, params }: RequestTypes): Map<string, Type> {
  const variables = new Map<string, Type>([
    ['object', object],
    ['oldObject', object],
    ['request', requestType()],
    ['namespaceObject', namespaceType()],
    ['authorizer', abstractType('kubernetes.authorization.Authorizer')],
    ['authorizer.requestResource', abstractType('kubernetes.authorization.ResourceCheck')],
  ])
  if (params !== undefined) variables.set('params', params)
  return variables
}

export const jsonPatchType: Type = objectType('JSONPatch', { ...texts('op', 'path', 'from'), value: dynType })
export const configurationType: Type = objectType('Object', 'any')

/** The structs that a mutation's expression can write: `JSONPatch{…}`, `Object.spec{…}`. */
export function mutationStruct(name: string): Type | undefined {
  if (name === 'JSONPatch') return jsonPatchType
  return name === 'Object' || name.startsWith('Object.') ? objectType(name, 'any') : undefined
}
