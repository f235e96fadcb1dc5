import type { MetricFamily, Sample } from '#lib/metrics/metric.ts'
import type { GroupUsage } from '../cgroups/read-usage.ts'
import type { MachineFacts } from '../node/node-machine.ts'
import { containerNameLabel } from '../pod-worker/labels.ts'
import { containerRules, interfaceRules, type ContainerRow, type FamilyRule } from './cadvisor-rules.ts'
import type { NodeSnapshot } from './stats-collector.ts'
import type { SummarizedPod } from './summary.ts'

type Labels = Sample['labels']

/** A pod with what the kernel counts of its containers and sandboxes, by their ids. */
export interface CountedPod extends SummarizedPod {
  readonly groups: ReadonlyMap<string, GroupUsage>
}

export interface CadvisorInput {
  readonly snapshot: NodeSnapshot
  readonly pods: readonly CountedPod[]
  readonly facts: MachineFacts
  /** Names of disks by their numbers. */
  readonly diskNames: ReadonlyMap<string, string>
}

/** `/metrics/cadvisor`: the figures that dashboards for containers are built on, by the runtime and the kernel. */
export function cadvisorMetrics(input: CadvisorInput): readonly MetricFamily[] {
  const { snapshot, pods, facts } = input
  const containers = pods.flatMap((pod) => containerRows(input, pod))
  const interfaces = pods.flatMap((pod) => interfaceRows(snapshot, pod))
  return [
    ...containerRules.map((rule) => withNode(family(rule, containers), snapshot)),
    ...interfaceRules.map((rule) => family(rule, interfaces)),
    machineFamily('machine_cpu_cores', 'Number of logical CPU cores.', facts.cpus),
    machineFamily('machine_memory_bytes', 'Amount of memory installed on the machine.', facts.memoryBytes),
  ]
}

interface LabelledRow<Subject> {
  readonly labels: Labels
  readonly subject: Subject
}

function containerRows(
  { snapshot, diskNames }: CadvisorInput,
  { pod, runs, groups }: CountedPod,
): readonly LabelledRow<ContainerRow>[] {
  const { name, namespace = '', uid } = pod.metadata
  return (snapshot.containers.get(uid) ?? []).map((stats) => {
    const { id } = stats
    const run = runs.find((each) => each.id === id)
    const group = groups.get(id)
    const container = stats.labels[containerNameLabel] ?? ''
    const labels = { container, id: group?.path ?? id, image: run?.image ?? '', name: id, namespace, pod: name }
    return { labels, subject: { stats, run, group, diskNames } }
  })
}

/** A pod's network belongs to its sandbox; whoever shares the node's has none. */
function interfaceRows(
  { sandboxes }: NodeSnapshot,
  { pod, groups }: CountedPod,
): readonly LabelledRow<GroupUsage['interfaces'][number]>[] {
  const { name, namespace = '', uid } = pod.metadata
  const own = sandboxes.get(uid)
  const group = own && groups.get(own.id)
  if (own === undefined || group === undefined || pod.spec.hostNetwork === true) return []
  const labels = { container: '', id: group.path, image: '', name: own.id, namespace, pod: name }
  return group.interfaces.map((each) => ({ labels: { ...labels, interface: each.name }, subject: each }))
}

function family<Subject>(
  { name, help, type, valuesOf }: FamilyRule<Subject>,
  rows: readonly LabelledRow<Subject>[],
): MetricFamily {
  const samples = rows.flatMap(({ labels, subject }) =>
    valuesOf(subject).flatMap(([value, more]) => {
      return value === undefined ? [] : [{ labels: { ...labels, ...more }, value }]
    }),
  )
  return { name, help, type, samples }
}

/** The whole node stands there too, as the container at the top. */
function withNode(metric: MetricFamily, { usage }: NodeSnapshot): MetricFamily {
  const values: Readonly<Record<string, readonly [number, Labels?]>> = {
    container_cpu_usage_seconds_total: [usage.cpuNanoseconds / 1e9, { cpu: 'total' }],
    container_memory_usage_bytes: [usage.memoryUsageBytes],
    container_memory_working_set_bytes: [usage.memoryWorkingSetBytes],
    container_memory_rss: [usage.memoryRssBytes],
  }
  const [value, more] = values[metric.name] ?? []
  if (value === undefined) return metric
  const labels = { container: '', id: '/', image: '', name: '', namespace: '', pod: '', ...more }
  return { ...metric, samples: [{ labels, value }, ...metric.samples] }
}

function machineFamily(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] }
}
