import type { Container, Pod } from '#api/types/core.v1.ts'
import { containerResources } from '../cgroups/pod-resources.ts'
import type { ContainerConfig } from '../cri/container.ts'
import type { ImageInfo } from '../cri/image.ts'
import type { SandboxConfig } from '../cri/sandbox.ts'
import { noGrants } from '../devices/container-grants.ts'
import { containerEnvironment } from '../environment/container-environment.ts'
import { expandVariables } from '../environment/expand.ts'
import type { PodPlace } from '../environment/field-ref.ts'
import { serviceEnvironment } from '../environment/service-environment.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { containerSecurity } from '../security/container-security.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { containerDevices } from './container-devices.ts'
import { containerMounts } from './container-mounts.ts'
import { containerAnnotations, containerLabels } from './labels.ts'
import type { WorkerContext } from './worker-context.ts'

export interface ContainerConfigInput {
  readonly pod: Pod
  readonly container: Container
  readonly attempt: number
  /** How often the whole pod was started over before. */
  readonly podRestart: number
  readonly image: ImageInfo
  readonly place: PodPlace
  readonly objects: PodObjects
  readonly volumes: VolumesOnHost
  readonly hostsPath: string
  /** What the pod shares, and what it has of its own. */
  readonly sandbox: SandboxConfig
  /** Id of the container that an ephemeral container looks into. */
  readonly targetId?: string
  readonly signal: AbortSignal
}

/** The whole configuration of a container. Throws `ContainerStartError` for what cannot be made. */
export async function containerConfig(context: WorkerContext, input: ContainerConfigInput): Promise<ContainerConfig> {
  const { pod, container, attempt, image } = input
  const { users } = input.sandbox.security.namespaces
  const grants = (await context.grants?.grant(pod, container)) ?? noGrants
  const env = await containerEnvironment({
    ...input,
    services: serviceEnvironment(context.services(), serviceScope(pod)),
    allocatable: context.allocatable(),
    readInside: context.host.readInside,
  })
  const variables = new Map(env.map(({ name, value }) => [name, value]))
  const valueOf = (name: string): string | undefined => variables.get(name)
  const terminationLogPath = await context.host.createTerminationLog(pod, container, attempt)
  const mounts = await containerMounts({ ...context, ...input, terminationLogPath, valueOf })
  const { seccompDirectory, settings } = context
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    imageRef: image.id,
    command: (container.command ?? []).map((text) => expandVariables(text, valueOf)),
    args: (container.args ?? []).map((text) => expandVariables(text, valueOf)),
    workingDir: container.workingDir ?? '',
    env: [...env, ...grants.env],
    mounts: [...mounts, ...grants.mounts],
    devices: [...containerDevices(container, input.volumes), ...grants.devices],
    cdiDevices: grants.cdiDevices,
    labels: containerLabels(pod, container),
    annotations: { ...containerAnnotations(pod, container, input), ...grants.annotations },
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: {
      ...containerResources(pod, container, { ...context, quota: settings.cpuQuota }),
      ...grants.placement,
    },
    security: containerSecurity({
      ...input,
      ...(users && { users }),
      seccompDirectory,
      usesDefaultSeccomp: settings.usesDefaultSeccomp,
    }),
    ...(container.lifecycle?.stopSignal !== undefined && { stopSignal: container.lifecycle.stopSignal }),
  }
}

function serviceScope({ metadata, spec }: Pod): { namespace: string; enableServiceLinks: boolean } {
  return { namespace: metadata.namespace ?? '', enableServiceLinks: spec.enableServiceLinks !== false }
}
