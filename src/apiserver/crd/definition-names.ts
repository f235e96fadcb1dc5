import { setCondition } from '#api/meta/conditions.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '#api/types/apiextensions.v1.ts'
import { approvalCondition } from './definition-approval.ts'

/**
 * The status that a definition gets for its names: each name that no other definition of the group has is accepted; when
 * all are, the definition is established, and stays so (API reference, "CustomResourceDefinitionStatus").
 */
export function statusOfNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): CustomResourceDefinitionStatus {
  const { spec, status = {} } = definition
  const accepted = status.acceptedNames ?? { plural: '', kind: '' }
  const neighbours = others.filter((other) => other.spec.group === spec.group)
  const resources = new Set(neighbours.flatMap((other) => resourceNames(other.status?.acceptedNames)))
  const kinds = new Set(neighbours.flatMap((other) => kindNames(other.status?.acceptedNames)))
  const problem = firstProblem(spec.names, resources, kinds)
  const acceptedNames = mergeNames(accepted, spec.names, resources, kinds)
  let conditions = status.conditions ?? []
  const put = (condition: CustomResourceDefinitionCondition): void => {
    conditions = setCondition(conditions, condition, now)
  }
  if (problem === undefined)
    put({ type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' })
  else put({ type: 'NamesAccepted', status: 'False', ...problem })
  const isEstablished = conditions.some(({ type, status: value }) => type === 'Established' && value === 'True')
  if (problem === undefined && !isEstablished) {
    const message = 'the initial names have been accepted'
    put({ type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message })
  } else if (problem !== undefined && !isEstablished) {
    put({ type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' })
  }
  const approval = approvalCondition(definition)
  if (approval !== undefined) put(approval)
  return { ...status, conditions, acceptedNames, storedVersions: status.storedVersions ?? [] }
}

function resourceNames(names: CustomResourceDefinitionNames | undefined): string[] {
  return names === undefined ? [] : [names.plural, names.singular ?? '', ...(names.shortNames ?? [])].filter(Boolean)
}

function kindNames(names: CustomResourceDefinitionNames | undefined): string[] {
  return names === undefined ? [] : [names.kind, names.listKind ?? ''].filter(Boolean)
}

interface Problem {
  readonly reason: string
  readonly message: string
}

function firstProblem(
  names: CustomResourceDefinitionNames,
  resources: ReadonlySet<string>,
  kinds: ReadonlySet<string>,
): Problem | undefined {
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`
  const { plural, singular = '', shortNames = [], kind, listKind = '' } = names
  const short = shortNames.filter((name) => resources.has(name))
  const problems: (Problem | undefined)[] = [
    resources.has(plural) ? { reason: 'PluralConflict', message: inUse(plural) } : undefined,
    resources.has(singular) ? { reason: 'SingularConflict', message: inUse(singular) } : undefined,
    short.length > 0 ? { reason: 'ShortNamesConflict', message: short.map(inUse).join(', ') } : undefined,
    kinds.has(kind) ? { reason: 'KindConflict', message: inUse(kind) } : undefined,
    kinds.has(listKind) ? { reason: 'ListKindConflict', message: inUse(listKind) } : undefined,
  ]
  // The last one found is the one that is told.
  return problems.findLast((problem) => problem !== undefined)
}

function mergeNames(
  accepted: CustomResourceDefinitionNames,
  wanted: CustomResourceDefinitionNames,
  resources: ReadonlySet<string>,
  kinds: ReadonlySet<string>,
): CustomResourceDefinitionNames {
  const { plural, singular = '', shortNames, kind, listKind = '', categories } = wanted
  const areShortFree = shortNames?.every((name) => !resources.has(name)) ?? true
  const short = areShortFree ? shortNames : accepted.shortNames
  return {
    plural: resources.has(plural) ? accepted.plural : plural,
    ...(resources.has(singular) ? { singular: accepted.singular } : { singular }),
    ...(short !== undefined && { shortNames: short }),
    kind: kinds.has(kind) ? accepted.kind : kind,
    ...(kinds.has(listKind) ? { listKind: accepted.listKind } : { listKind }),
    ...(categories !== undefined && { categories }),
  }
}
