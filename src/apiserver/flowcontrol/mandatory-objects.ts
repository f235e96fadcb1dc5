import type { FlowSchema, PolicyRulesWithSubjects, PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'

const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}

/** What applies while the cluster has no such objects: administrators are never held up, and everybody is limited. */
export const mandatoryLevels: readonly PriorityLevelConfiguration[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level('catch-all', {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  }),
]

export const mandatorySchemas: readonly FlowSchema[] = [
  schema('exempt', 1, [{ subjects: [{ kind: 'Group', group: { name: 'system:masters' } }], ...everything }]),
  schema('catch-all', 10_000, [{ subjects: [{ kind: 'Group', group: { name: '*' } }], ...everything }]),
]

function level(name: string, spec: PriorityLevelConfiguration['spec']): PriorityLevelConfiguration {
  const type = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'PriorityLevelConfiguration' } as const
  return { ...type, metadata: { name, uid: '' } as PriorityLevelConfiguration['metadata'], spec }
}

function schema(name: string, matchingPrecedence: number, rules: readonly PolicyRulesWithSubjects[]): FlowSchema {
  const type = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema' } as const
  const metadata = { name, uid: '' } as FlowSchema['metadata']
  return {
    ...type,
    metadata,
    spec: { priorityLevelConfiguration: { name }, matchingPrecedence, distinguisherMethod: { type: 'ByUser' }, rules },
  }
}
