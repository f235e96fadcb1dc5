import type { PodSpec, Probe } from '#api/types/core.v1.ts'
import {
  containersOf,
  containersWhere,
  describeContainers,
  describeSetters,
  hasUserNamespace,
  quoted,
  type AnyContainer,
  type PodCheck,
} from './pod-parts.ts'

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/'

export const appArmorProfile: PodCheck = (pod) => {
  const annotations = Object.entries(pod.annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorAnnotation) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .toSorted()
  const isBad = (profile: { readonly type: string } | undefined): boolean =>
    profile !== undefined && profile.type !== 'RuntimeDefault' && profile.type !== 'Localhost'
  const podIsBad = isBad(pod.spec.securityContext?.appArmorProfile)
  const containers = containersWhere(pod, (context) => isBad(context?.appArmorProfile))
  const setters = describeSetters(podIsBad, containers)
  const fields = setters === '' ? [] : [`${setters} must not set AppArmor profile type to "Unconfined"`]
  const count = annotations.length + fields.length
  if (count === 0) return undefined
  const reason = count === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles'
  return { reason, detail: [...annotations, ...fields].join(', ') }
}

const defaultCapabilities: ReadonlySet<string> = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
)

export const capabilitiesBaseline: PodCheck = (pod) => {
  const added = (container: AnyContainer): readonly string[] =>
    (container.securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name))
  const bad = containersOf(pod.spec).filter((container) => added(container).length > 0)
  if (bad.length === 0) return undefined
  const names = describeContainers(bad.map((container) => container.name))
  const capabilities = quoted([...new Set(bad.flatMap(added))].toSorted())
  return {
    reason: 'non-default capabilities',
    detail: `${names} must not include ${capabilities} in securityContext.capabilities.add`,
  }
}

export const hostNamespaces: PodCheck = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const)
    .filter((name) => spec[name])
    .map((name) => `${name}=true`)
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.join(', ') }
}

export const hostPathVolumes: PodCheck = ({ spec }) => {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map((volume) => volume.name)
  if (names.length === 0) return undefined
  return { reason: 'hostPath volumes', detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quoted(names)}` }
}

export const hostPorts: PodCheck = ({ spec }) => {
  const portsOf = (container: AnyContainer): readonly number[] =>
    (container.ports ?? []).map((port) => port.hostPort ?? 0).filter((port) => port !== 0)
  const bad = containersOf(spec).filter((container) => portsOf(container).length > 0)
  if (bad.length === 0) return undefined
  const ports = [...new Set(bad.flatMap(portsOf).map(String))].toSorted()
  const verb = bad.length === 1 ? 'uses' : 'use'
  const what = ports.length === 1 ? 'hostPort' : 'hostPorts'
  return {
    reason: 'hostPort',
    detail: `${describeContainers(bad.map(({ name }) => name))} ${verb} ${what} ${ports.join(', ')}`,
  }
}

/** Probes and hooks run in the node's network: a host of their own would reach whatever the node reaches (KEP-4940). */
export const hostProbes: PodCheck = ({ spec }) => {
  const hostsOf = (container: AnyContainer): readonly string[] => {
    const handlers: readonly (Probe | undefined)[] = [
      container.livenessProbe,
      container.readinessProbe,
      container.startupProbe,
      container.lifecycle?.postStart,
      container.lifecycle?.preStop,
    ]
    const hosts = handlers.flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    return hosts.filter(
      (host): host is string => host !== undefined && host !== '' && host !== '127.0.0.1' && host !== '::1',
    )
  }
  const bad = containersOf(spec).filter((container) => hostsOf(container).length > 0)
  if (bad.length === 0) return undefined
  const hosts = [...new Set(bad.flatMap(hostsOf))].toSorted()
  const what = hosts.length === 1 ? 'probe or lifecycle host' : 'probe or lifecycle hosts'
  const verb = bad.length === 1 ? 'uses' : 'use'
  return {
    reason: 'probe or lifecycle host',
    detail: `${describeContainers(bad.map(({ name }) => name))} ${verb} ${what} ${quoted(hosts)}`,
  }
}

export const privileged: PodCheck = (pod) => {
  const names = containersWhere(pod, (context) => context?.privileged === true)
  if (names.length === 0) return undefined
  return { reason: 'privileged', detail: `${describeContainers(names)} must not set securityContext.privileged=true` }
}

/** The same on both levels, but only the baseline lets a pod with its own user namespace unmask /proc. */
export const procMountRestricted: PodCheck = (pod) => {
  const names = containersWhere(pod, (context) => context?.procMount !== undefined && context.procMount !== 'Default')
  if (names.length === 0) return undefined
  return {
    reason: 'procMount',
    detail: `${describeContainers(names)} must not set securityContext.procMount to "Unmasked"`,
  }
}

export const procMountBaseline: PodCheck = (pod, minor) =>
  hasUserNamespace(pod) ? undefined : procMountRestricted(pod, minor)

const seLinuxTypes: readonly string[] = ['', 'container_t', 'container_init_t', 'container_kvm_t']
const isAllowedType = (type: string, minor: number): boolean =>
  seLinuxTypes.includes(type) || (minor >= 31 && type === 'container_engine_t')

export const seLinuxOptions: PodCheck = (pod, minor) => {
  type Options = NonNullable<PodSpec['securityContext']>['seLinuxOptions']
  const badTypes: string[] = []
  let user = false
  let role = false
  const isBad = (options: Options): boolean => {
    const type = options?.type ?? ''
    const badType = !isAllowedType(type, minor)
    if (badType) badTypes.push(type)
    if (options?.user) user = true
    if (options?.role) role = true
    return badType || Boolean(options?.user) || Boolean(options?.role)
  }
  const podIsBad = isBad(pod.spec.securityContext?.seLinuxOptions)
  const containers = containersWhere(pod, (context) => isBad(context?.seLinuxOptions))
  if (!podIsBad && containers.length === 0) return undefined
  const types = [...new Set(badTypes)]
  const problems = [
    ...(types.length > 0 ? [`${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`] : []),
    ...(user ? ['user may not be set'] : []),
    ...(role ? ['role may not be set'] : []),
  ]
  const setters = describeSetters(podIsBad, containers)
  return {
    reason: 'seLinuxOptions',
    detail: `${setters} set forbidden securityContext.seLinuxOptions: ${problems.join('; ')}`,
  }
}

export const seccompProfileBaseline: PodCheck = (pod) => {
  const isBad = (profile: { readonly type: string } | undefined): boolean => profile?.type === 'Unconfined'
  const podIsBad = isBad(pod.spec.securityContext?.seccompProfile)
  const setters = describeSetters(
    podIsBad,
    containersWhere(pod, (context) => isBad(context?.seccompProfile)),
  )
  if (setters === '') return undefined
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to "Unconfined"`,
  }
}

/** Sysctls that only touch the pod itself, and the minor version that allowed them. */
const safeSysctls: ReadonlyMap<string, number> = new Map([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
])

export const sysctls: PodCheck = ({ spec }, minor) => {
  const isSafe = (name: string): boolean => (safeSysctls.get(name) ?? Number.NaN) <= minor
  const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !isSafe(name))
  return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') }
}

export const windowsHostProcess: PodCheck = (pod) => {
  const podIsBad = pod.spec.securityContext?.windowsOptions?.hostProcess === true
  const setters = describeSetters(
    podIsBad,
    containersWhere(pod, (context) => context?.windowsOptions?.hostProcess === true),
  )
  if (setters === '') return undefined
  return { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
}
