import { podHostname } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { SandboxConfig } from '../cri/sandbox.ts'
import { hostNetworkHostsFile, hostsFile } from '../identity/hosts-file.ts'
import { podDns } from '../identity/pod-dns.ts'
import type { IdRange } from '../user-namespaces/id-range.ts'
import { userNamespaceRefusal } from '../user-namespaces/user-namespace-refusal.ts'
import type { PreparedPod } from './pod-host.ts'
import { podFullName, sandboxConfig } from './sandbox-config.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * The sandbox of a pod, with what it takes from the node: folders, control group and resolvers. A user namespace of its
 * own is refused rather than left out: a pod that asks for it relies on it.
 */
export async function sandboxConfigOf(
  context: WorkerContext,
  { pod, attempt, prepared }: { readonly pod: Pod; readonly attempt: number; readonly prepared: PreparedPod },
): Promise<SandboxConfig> {
  const { clusterDns, clusterDomain, nodeFiles, seccompDirectory, settings } = context
  const users = await usersOf(context, pod)
  const dns = podDns(pod, { clusterDns, clusterDomain, host: await nodeFiles.resolvConf(settings.resolvConf) })
  return sandboxConfig({ pod, attempt, dns, seccompDirectory, clusterDomain, ...prepared, ...(users && { users }) })
}

async function usersOf(context: WorkerContext, pod: Pod): Promise<IdRange | undefined> {
  if (pod.spec.hostUsers !== false) return undefined
  const refusal = userNamespaceRefusal(context.runtimeHandler(pod), context.runtimeHandlers())
  if (refusal !== undefined) throw new Error(refusal)
  return context.host.idRange(pod)
}

/** Writes the pod's `/etc/hosts` and resolves to its path on the node. */
export async function writeHosts(context: WorkerContext, pod: Pod, podIps: readonly string[]): Promise<string> {
  const { host, nodeFiles, clusterDomain } = context
  const aliases = pod.spec.hostAliases ?? []
  if (pod.spec.hostNetwork === true) {
    return host.writeHostsFile(pod, hostNetworkHostsFile(await nodeFiles.hosts(), aliases))
  }
  const fullName = podFullName(pod, clusterDomain)
  const named = { podIps, hostname: podHostname(pod), aliases, ...(fullName !== undefined && { fullName }) }
  return host.writeHostsFile(pod, hostsFile(named))
}
