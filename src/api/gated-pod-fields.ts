import type { Features } from './features.ts'
import type { Draft, Kind } from './kind.ts'
import type { PodSpec } from './types/core.v1.ts'

/** Where the specs of pods stand in the kinds that have them. */
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  '/PodTemplate': ['template', 'spec'],
  '/ReplicationController': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
}

/** The kind as it is where only these features are on: fields of pods that belong to others are taken, and forgotten. */
export function forgettingFields(kind: Kind, features: Features): Kind {
  const path = podSpecPaths[`${kind.group}/${kind.kind}`]
  const keepsBundles = features.has('ClusterTrustBundleProjection')
  const keepsCertificates = features.has('PodCertificateRequest')
  if (path === undefined || (keepsBundles && keepsCertificates)) return kind
  return {
    ...kind,
    setDefaults(draft) {
      for (const { projected } of podSpecAt(draft, path)?.volumes ?? []) {
        for (const source of projected?.sources ?? []) {
          if (!keepsBundles) delete source.clusterTrustBundle
          if (!keepsCertificates) delete source.podCertificate
        }
      }
      kind.setDefaults?.(draft)
    },
  }
}

function podSpecAt(object: object, path: readonly string[]): Draft<PodSpec> | undefined {
  let value: unknown = object
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name]
  return value as Draft<PodSpec> | undefined
}
