import type { New } from '#api/meta/resource.ts'
import type { ContainerImage, Node, NodeStatus, Taint } from '#api/types/core.v1.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import type { RuntimeVersion } from '../cri/runtime.ts'
import type { ImageInfo } from '../cri/image.ts'
import type { MachineFacts } from './node-machine.ts'
import { declaredFeatures } from './declared-features.ts'
import { nodeAllocatable, nodeCapacity } from './node-resources.ts'

export interface NodeDescription {
  readonly name: string
  /** Internal addresses, the primary one first. */
  readonly addresses: readonly string[]
  readonly facts: MachineFacts
  readonly runtime: RuntimeVersion
  readonly kubeletVersion: string
  /** Port of the kubelet's server; absent when it runs none. */
  readonly port?: number
  readonly podCidr?: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly settings: KubeletSettings
}

/** Upstream's limit of what a node tells about an image. */
const maximumImageNames = 5

/** The node as it registers itself, without its status. */
export function nodeObject(description: NodeDescription): New<Node> {
  const { name, podCidr, taints, settings } = description
  const { providerID } = settings.configuration
  return {
    metadata: {
      name,
      labels: nodeLabels(description),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      ...(podCidr !== undefined && { podCIDR: podCidr, podCIDRs: [podCidr] }),
      ...(taints.length > 0 && { taints }),
      ...(providerID !== undefined && { providerID }),
    },
  }
}

export function nodeLabels({ name, facts, labels }: NodeDescription): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': facts.operatingSystem,
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': facts.operatingSystem,
    ...labels,
  }
}

/** All of the status but its conditions. */
export function nodeStatus(description: NodeDescription, images: readonly ImageInfo[]): NodeStatus {
  const { name, addresses, facts, runtime, kubeletVersion, port, settings } = description
  return {
    capacity: nodeCapacity(facts, settings),
    allocatable: nodeAllocatable(facts, settings),
    addresses: [
      ...addresses.map((address) => ({ type: 'InternalIP' as const, address })),
      { type: 'Hostname' as const, address: name },
    ],
    ...(port !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.systemUuid,
      bootID: facts.bootId,
      kernelVersion: facts.kernelVersion,
      osImage: facts.osImage,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
      kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: facts.operatingSystem,
      architecture: facts.architecture,
      ...(facts.swapBytes > 0 && { swap: { capacity: facts.swapBytes } }),
    },
    images: nodeImages(images, settings.reportedImages),
    declaredFeatures: declaredFeatures(settings),
  }
}

/** The largest first: what the scheduler's image locality looks at. */
function nodeImages(images: readonly ImageInfo[], maximumImages: number): readonly ContainerImage[] {
  return [...images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, maximumImages)
    .map(({ repoDigests, repoTags, sizeBytes }) => ({
      names: [...repoDigests, ...repoTags].slice(0, maximumImageNames),
      sizeBytes,
    }))
}
