import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import {
  cronJobs,
  daemonSets,
  deployments,
  jobs,
  namespaces,
  nodes,
  persistentVolumeClaims,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '#api/types/resources.ts'
import { explainClaim, explainCronJob, explainNamespace, explainNode } from './explain-others.ts'
import { explainPod } from './explain-pod.ts'
import { explainDaemonSet, explainDeployment, explainJob, explainReplicas } from './explain-workload.ts'
import { readPodFacts } from './read-pod-facts.ts'
import type { WhyReader } from './why-reader.ts'
import type { WhyReport } from './why-report.ts'

interface Row {
  readonly resource: Resource
  /** As kubectl also takes them. */
  readonly shortNames: readonly string[]
  readonly explain: (object: KubernetesObject, reader: WhyReader) => Promise<WhyReport>
}

function row<T extends KubernetesObject>(
  resource: Resource<T>,
  shortNames: readonly string[],
  explain: (object: T, reader: WhyReader) => Promise<WhyReport>,
): Row {
  return { resource, shortNames, explain: explain as unknown as Row['explain'] }
}

/** What can be asked about. */
const rows: readonly Row[] = [
  row(pods, ['po'], async (pod, reader) => explainPod(await readPodFacts(pod, reader))),
  row(deployments, ['deploy'], explainDeployment),
  row(replicaSets, ['rs'], explainReplicas),
  row(statefulSets, ['sts'], explainReplicas),
  row(replicationControllers, ['rc'], explainReplicas),
  row(daemonSets, ['ds'], explainDaemonSet),
  row(jobs, [], explainJob),
  row(cronJobs, ['cj'], explainCronJob),
  row(persistentVolumeClaims, ['pvc'], explainClaim),
  row(nodes, ['no'], explainNode),
  row(namespaces, ['ns'], explainNamespace),
]

/** The kinds that can be asked about, in the singular. */
export const explainableKinds: readonly string[] = rows.map(({ resource }) => resource.kind.toLowerCase())

/** Which resource a word such as `pod`, `pods` or `po` means; nothing for one that cannot be asked about. */
function rowOf(word: string): Row | undefined {
  const name = word.toLowerCase()
  return rows.find(
    ({ resource, shortNames }) =>
      resource.plural === name || resource.kind.toLowerCase() === name || shortNames.includes(name),
  )
}

export type WhyAnswer = WhyReport | 'unknown kind' | 'not found'

/** Why the object is not as it should be. */
export async function explainObject(
  { kind, name, namespace }: { readonly kind: string; readonly name: string; readonly namespace: string },
  reader: WhyReader,
): Promise<WhyAnswer> {
  const known = rowOf(kind)
  if (!known) return 'unknown kind'
  const { resource, explain } = known
  const object = await reader.get(resource, name, resource.namespaced ? namespace : undefined)
  return object ? explain(object, reader) : 'not found'
}
