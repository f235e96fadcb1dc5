import { schemaNode, type FieldNode, type ObjectNode, type ScalarKind, type SchemaNode } from '#api/schema/node.ts'
import { extensionPoints } from '../extension-points.ts'

/**
 * The shapes of KubeSchedulerConfiguration v1 and of the arguments of plugins: what a configuration file may say. The
 * generated types hold only what the API serves, and this is read from a file.
 */

const scalar = (kind: ScalarKind): SchemaNode => ({ shape: 'scalar', kind })
const text = scalar('string')
const int = scalar('int32')
const flag = scalar('boolean')
const raw: SchemaNode = { shape: 'raw', objectOnly: true }

function list(item: SchemaNode): SchemaNode {
  return { shape: 'list', item, listType: 'atomic', keys: [] }
}

function object(name: string, fields: Readonly<Record<string, SchemaNode>>): ObjectNode {
  const made = Object.entries(fields).map(([key, node]): readonly [string, FieldNode] => [
    key,
    {
      ...{ name: key, node, required: false, default: undefined, enum: undefined },
      ...{ patchStrategy: '', patchMergeKey: undefined, zeroMeansAbsent: false, alwaysWritten: false },
    },
  ])
  return { shape: 'object', name, atomic: false, fields: new Map(made) }
}

const pluginSet = object('PluginSet', {
  enabled: list(object('Plugin', { name: text, weight: int })),
  disabled: list(object('Plugin', { name: text, weight: int })),
})

const profile = object('KubeSchedulerProfile', {
  schedulerName: text,
  percentageOfNodesToScore: int,
  plugins: object('Plugins', Object.fromEntries([...extensionPoints, 'multiPoint'].map((point) => [point, pluginSet]))),
  pluginConfig: list(object('PluginConfig', { name: text, args: raw })),
})

const extender = object('Extender', {
  ...{ urlPrefix: text, filterVerb: text, preemptVerb: text, prioritizeVerb: text, bindVerb: text, weight: int },
  ...{ enableHTTPS: flag, httpTimeout: text, nodeCacheCapable: flag, ignorable: flag },
  tlsConfig: object('ExtenderTLSConfig', {
    ...{ insecure: flag, serverName: text, certFile: text, keyFile: text, caFile: text },
    ...{ certData: scalar('bytes'), keyData: scalar('bytes'), caData: scalar('bytes') },
  }),
  managedResources: list(object('ExtenderManagedResource', { name: text, ignoredByScheduler: flag })),
})

const leaderElection = object('LeaderElectionConfiguration', {
  ...{ leaderElect: flag, leaseDuration: text, renewDeadline: text, retryPeriod: text },
  ...{ resourceLock: text, resourceName: text, resourceNamespace: text },
})

const clientConnection = object('ClientConnectionConfiguration', {
  ...{ kubeconfig: text, acceptContentTypes: text, contentType: text, qps: scalar('double'), burst: int },
})

export const configurationNode: ObjectNode = object('KubeSchedulerConfiguration', {
  ...{ apiVersion: text, kind: text, parallelism: int, leaderElection, clientConnection },
  ...{ healthzBindAddress: text, metricsBindAddress: text, enableProfiling: flag, enableContentionProfiling: flag },
  ...{
    percentageOfNodesToScore: int,
    podInitialBackoffSeconds: scalar('int64'),
    podMaxBackoffSeconds: scalar('int64'),
  },
  ...{ profiles: list(profile), extenders: list(extender), delayCacheUntilActive: flag },
})

const shape = list(object('UtilizationShapePoint', { utilization: int, score: int }))
const resources = list(object('ResourceSpec', { name: text, weight: scalar('int64') }))
const header = { apiVersion: text, kind: text }

/** The arguments of each plugin that takes any. Made on demand: two of them need the API's own types. */
export function argumentNodes(): Readonly<Record<string, ObjectNode>> {
  const core = (name: string): SchemaNode => schemaNode(`io.k8s.api.core.v1.${name}`)
  return {
    DefaultPreemption: object('DefaultPreemptionArgs', {
      ...{ ...header, minCandidateNodesPercentage: int, minCandidateNodesAbsolute: int },
    }),
    InterPodAffinity: object('InterPodAffinityArgs', {
      ...{ ...header, hardPodAffinityWeight: int, ignorePreferredTermsOfExistingPods: flag },
    }),
    NodeAffinity: object('NodeAffinityArgs', { ...header, addedAffinity: core('NodeAffinity') }),
    NodeResourcesFit: object('NodeResourcesFitArgs', {
      ...{ ...header, ignoredResources: list(text), ignoredResourceGroups: list(text) },
      scoringStrategy: object('ScoringStrategy', {
        ...{ type: text, resources },
        requestedToCapacityRatio: object('RequestedToCapacityRatioParam', { shape }),
      }),
    }),
    NodeResourcesBalancedAllocation: object('NodeResourcesBalancedAllocationArgs', { ...header, resources }),
    PodTopologySpread: object('PodTopologySpreadArgs', {
      ...{ ...header, defaultingType: text, defaultConstraints: list(core('TopologySpreadConstraint')) },
    }),
    VolumeBinding: object('VolumeBindingArgs', { ...header, bindTimeoutSeconds: scalar('int64'), shape }),
    DynamicResources: object('DynamicResourcesArgs', { ...header, filterTimeout: text, bindingTimeout: text }),
  }
}
