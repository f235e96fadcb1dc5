import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ContainerConfig, ContainerMount, ContainerResources, ContainerSecurity } from './container.ts'
import type { IdRange } from '../user-namespaces/id-range.ts'
import { encodeMappings, encodeNamespaces, encodeSeccomp, profileTypes } from './encode-sandbox.ts'
import type {
  ContainerConfigSchema,
  LinuxContainerResourcesSchema,
  LinuxContainerSecurityContextSchema,
  MountSchema,
} from './generated/cri_pb.ts'
import { signalNumber } from './signal.ts'

const propagations = { private: 0, hostToContainer: 1, bidirectional: 2 } as const
const textEncoder = new TextEncoder()

/** The container configuration as CRI's message. */
export function encodeContainer(config: ContainerConfig): MessageInitShape<typeof ContainerConfigSchema> {
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.imageRef, userSpecifiedImage: config.image },
    command: [...config.command],
    args: [...config.args],
    workingDir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value: textEncoder.encode(value) })),
    mounts: config.mounts.map((mount) => encodeMount(mount, config.security.namespaces.users)),
    devices: config.devices.map((device) => ({ ...device })),
    CDIDevices: config.cdiDevices.map((name) => ({ name })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    ...(config.stopSignal !== undefined && { stopSignal: signalNumber(config.stopSignal) }),
    linux: { resources: encodeResources(config.resources), securityContext: encodeSecurity(config.security) },
  }
}

/** Where the container has users of its own, files keep the owners that they have on the node, as the container counts. */
function encodeMount(mount: ContainerMount, users: IdRange | undefined): MessageInitShape<typeof MountSchema> {
  return {
    containerPath: mount.containerPath,
    hostPath: mount.hostPath,
    readonly: mount.readOnly,
    recursiveReadOnly: mount.recursiveReadOnly ?? false,
    propagation: propagations[mount.propagation],
    ...(users && { uidMappings: encodeMappings(users), gidMappings: encodeMappings(users) }),
    ...(mount.image && {
      image: { image: mount.image.id, userSpecifiedImage: mount.image.reference },
      imageSubPath: mount.image.subPath,
    }),
  }
}

export function encodeResources(resources: ContainerResources): MessageInitShape<typeof LinuxContainerResourcesSchema> {
  return {
    cpuShares: BigInt(resources.cpuShares),
    cpuPeriod: BigInt(resources.cpuPeriod),
    cpuQuota: BigInt(resources.cpuQuota),
    memoryLimitInBytes: BigInt(resources.memoryLimitBytes),
    oomScoreAdj: BigInt(resources.oomScoreAdj),
    cpusetCpus: resources.cpusetCpus ?? '',
    cpusetMems: resources.cpusetMems ?? '',
    unified: { ...resources.unified },
    hugepageLimits: resources.hugepageLimits.map(({ pageSize, limitBytes }) => ({
      pageSize,
      limit: BigInt(limitBytes),
    })),
  }
}

function encodeSecurity(security: ContainerSecurity): MessageInitShape<typeof LinuxContainerSecurityContextSchema> {
  const { add, drop } = security.capabilities
  return {
    privileged: security.privileged,
    capabilities: { addCapabilities: [...add], dropCapabilities: [...drop] },
    namespaceOptions: encodeNamespaces(security.namespaces),
    ...(security.runAsUser !== undefined && { runAsUser: { value: BigInt(security.runAsUser) } }),
    ...(security.runAsGroup !== undefined && { runAsGroup: { value: BigInt(security.runAsGroup) } }),
    runAsUsername: security.runAsUsername ?? '',
    readonlyRootfs: security.readOnlyRootFilesystem,
    supplementalGroups: security.supplementalGroups.map(BigInt),
    supplementalGroupsPolicy: security.hasOnlyAskedGroups ? 1 : 0,
    noNewPrivs: security.noNewPrivileges,
    maskedPaths: [...security.maskedPaths],
    readonlyPaths: [...security.readOnlyPaths],
    seccomp: encodeSeccomp(security.seccomp),
    ...(security.appArmor && {
      apparmor: { profileType: profileTypes[security.appArmor.type], localhostRef: security.appArmor.profile ?? '' },
    }),
  }
}
