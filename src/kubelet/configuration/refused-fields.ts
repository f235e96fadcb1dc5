import type { KubeletConfiguration } from './kubelet-configuration.ts'

/** A field that upstream's kubelet acts on and that this one follows only in part, or not at all. */
interface PartlyFollowed {
  /** With dots where it is part of another. */
  readonly field: string
  /** The values that are taken; a field that is not given is always fine. */
  readonly taken: readonly unknown[]
  readonly because: string
}

/** Reasons that several fields share. */
const ownControlGroup = 'whoever starts the node chooses its control group, such as a systemd unit by `Slice`'
const noIptables = 'the node has no iptables rules, its services are one nftables table'
const ownContainerd = 'the node runs a containerd of its own below its data directory'
const noGoProgram = 'it is about programs written in Go'
const atOnce = 'each line of the log is written at once'

/**
 * All that is refused, and why. A node that does not do what it was told must not start as if it did. The table in
 * `docs/nodes.md` says the same.
 */
export const partlyFollowed: readonly PartlyFollowed[] = [
  { field: 'cgroupDriver', taken: ['', 'cgroupfs'], because: 'the control groups of pods are made by the node itself' },
  {
    field: 'cgroupRoot',
    taken: ['', '/'],
    because: 'all control groups are below one that `coracle down` can remove',
  },
  { field: 'cgroupsPerQOS', taken: [true], because: 'pods always lie in control groups by their class' },
  {
    field: 'configMapAndSecretChangeDetectionStrategy',
    taken: ['', 'Watch'],
    because: 'ConfigMaps and Secrets of pods are watched',
  },
  { field: 'containerRuntimeEndpoint', taken: [''], because: ownContainerd },
  {
    field: 'contentType',
    taken: ['', 'application/json', 'application/vnd.kubernetes.protobuf'],
    because: 'the API server takes these',
  },
  {
    field: 'enableContentionProfiling',
    taken: [false],
    because: noGoProgram,
  },
  {
    field: 'enableControllerAttachDetach',
    taken: [true],
    because: 'volumes are attached by the controller of the cluster',
  },
  { field: 'enableDebugFlagsHandler', taken: [false], because: noGoProgram },
  { field: 'enableProfilingHandler', taken: [false], because: noGoProgram },
  { field: 'enableSystemLogHandler', taken: [false], because: 'files of the machine are not served' },
  { field: 'enableSystemLogQuery', taken: [false], because: 'it runs journalctl for whoever may read logs of nodes' },
  { field: 'imageServiceEndpoint', taken: [''], because: ownContainerd },
  { field: 'iptablesDropBit', taken: [15], because: noIptables },
  { field: 'iptablesMasqueradeBit', taken: [14], because: noIptables },
  { field: 'kernelMemcgNotification', taken: [false], because: 'memory is looked at every ten seconds' },
  { field: 'kubeReservedCgroup', taken: [''], because: 'limits of others are theirs to set' },
  { field: 'kubeletCgroups', taken: [''], because: ownControlGroup },
  { field: 'logging.options.json.infoBufferSize', taken: ['', '0', 0], because: atOnce },
  { field: 'logging.options.json.splitStream', taken: [false], because: atOnce },
  { field: 'logging.options.text.infoBufferSize', taken: ['', '0', 0], because: atOnce },
  { field: 'logging.options.text.splitStream', taken: [false], because: atOnce },
  { field: 'logging.vmodule', taken: [], because: noGoProgram },
  { field: 'makeIPTablesUtilChains', taken: [false], because: noIptables },
  { field: 'qosReserved', taken: [], because: 'it needs a feature gate that is off in Kubernetes 1.36' },
  { field: 'systemCgroups', taken: [''], because: ownControlGroup },
  { field: 'systemReservedCgroup', taken: [''], because: 'limits of others are theirs to set' },
  { field: 'tracing', taken: [], because: 'the node exports no traces' },
  {
    field: 'volumePluginDir',
    taken: ['', '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/'],
    because: 'FlexVolume drivers are not run; CSI drivers are',
  },
]

/** One sentence for each field with a value that this kubelet cannot follow. */
export function refusedFields(configuration: KubeletConfiguration): readonly string[] {
  return partlyFollowed.flatMap(({ field, taken, because }) => {
    const value = valueAt(configuration, field.split('.'))
    if (value === undefined || taken.includes(value) || isEmpty(value)) return []
    return [`${field}: ${JSON.stringify(value)} is not supported by this kubelet: ${because}`]
  })
}

/** The table of all that is refused, as Markdown. */
export function refusalTable(): string {
  const rows = partlyFollowed.map(({ field, taken, because }) => {
    const values = taken.filter((value) => value !== '').map((value) => `\`${String(value)}\``)
    return `| \`${field}\` | ${values.join(', ') || 'nothing'} | ${because} |`
  })
  return ['| field | taken | because |', '| --- | --- | --- |', ...rows].join('\n')
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
