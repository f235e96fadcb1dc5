import type { MessageInitShape } from '@bufbuild/protobuf'
import type { IdRange } from '../user-namespaces/id-range.ts'
import type {
  IDMappingSchema,
  NamespaceOptionSchema,
  PodSandboxConfigSchema,
  SecurityProfileSchema,
  UserNamespaceSchema,
} from './generated/cri_pb.ts'
import type { NamespaceMode, NamespaceOptions, SandboxConfig, SeccompSetting } from './sandbox.ts'

// Numbers of CRI's enums; the generated constants would load the whole schema at import time.
const namespaceModes = { pod: 0, container: 1, node: 2, target: 3 } as const satisfies Record<NamespaceMode, number>
export const profileTypes = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const
const protocols = { TCP: 0, UDP: 1, SCTP: 2 } as const

/** The sandbox configuration as CRI's message. */
export function encodeSandbox(config: SandboxConfig): MessageInitShape<typeof PodSandboxConfigSchema> {
  const { security } = config
  return {
    metadata: config.metadata,
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    ...(config.dns && { dnsConfig: { ...mutable(config.dns) } }),
    portMappings: config.portMappings.map((mapping) => ({ ...mapping, protocol: protocols[mapping.protocol] })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    linux: {
      cgroupParent: config.cgroupParent,
      sysctls: { ...config.sysctls },
      securityContext: {
        namespaceOptions: encodeNamespaces(security.namespaces),
        privileged: security.privileged,
        ...(security.runAsUser !== undefined && { runAsUser: { value: BigInt(security.runAsUser) } }),
        ...(security.runAsGroup !== undefined && { runAsGroup: { value: BigInt(security.runAsGroup) } }),
        supplementalGroups: security.supplementalGroups.map(BigInt),
        supplementalGroupsPolicy: security.hasOnlyAskedGroups ? 1 : 0,
        seccomp: encodeSeccomp(security.seccomp),
      },
    },
  }
}

export function encodeNamespaces(options: NamespaceOptions): MessageInitShape<typeof NamespaceOptionSchema> {
  return {
    network: namespaceModes[options.network],
    pid: namespaceModes[options.pid],
    ipc: namespaceModes[options.ipc],
    targetId: options.targetId ?? '',
    usernsOptions: encodeUsers(options.users),
  }
}

function encodeUsers(users: IdRange | undefined): MessageInitShape<typeof UserNamespaceSchema> {
  if (users === undefined) return { mode: namespaceModes.node }
  return { mode: namespaceModes.pod, uids: encodeMappings(users), gids: encodeMappings(users) }
}

/** The ids that the pod sees, onto those that the node has set aside for it. */
export function encodeMappings({ firstId, length }: IdRange): MessageInitShape<typeof IDMappingSchema>[] {
  return [{ hostId: firstId, containerId: 0, length }]
}

export function encodeSeccomp(setting: SeccompSetting): MessageInitShape<typeof SecurityProfileSchema> {
  return { profileType: profileTypes[setting.type], localhostRef: setting.localhostPath ?? '' }
}

function mutable(dns: NonNullable<SandboxConfig['dns']>): { servers: string[]; searches: string[]; options: string[] } {
  return { servers: [...dns.servers], searches: [...dns.searches], options: [...dns.options] }
}
