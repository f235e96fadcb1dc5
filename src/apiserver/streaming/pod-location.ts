import { badRequest, notFound, StatusError } from '#api/meta/status.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { kubeletAddress, type KubeletAddress } from './kubelet-dialer.ts'

/** The pod, or NotFound. */
export function findPod(reader: ObjectReader, namespace: string, name: string): Pod {
  const pod = reader.get(pods, name, namespace)
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name })
  return pod
}

/** The container that a request means: the one it names, or the only one. Throws BadRequest in upstream's words. */
export function chooseContainer(pod: Pod, wanted: string): string {
  const names = (list: readonly { readonly name: string }[] | undefined): readonly string[] =>
    (list ?? []).map(({ name }) => name)
  const main = names(pod.spec?.containers)
  const init = names(pod.spec?.initContainers)
  const ephemeral = names(pod.spec?.ephemeralContainers)
  const { name } = pod.metadata
  if (wanted !== '') {
    if ([...main, ...init, ...ephemeral].includes(wanted)) return wanted
    throw badRequest(`container ${wanted} is not valid for pod ${name}`)
  }
  if (main.length === 1) return main[0]!
  const choices = [
    ...(main.length > 0 ? [`, choose one of: [${main.join(' ')}]`] : []),
    ...(init.length > 0 ? [` or one of the init containers: [${init.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [` or one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ]
  throw badRequest(`a container name must be specified for pod ${name}${choices.join('')}`)
}

/** The kubelet that runs the pod; BadRequest while no node does. */
export function kubeletOf(reader: ObjectReader, pod: Pod): KubeletAddress {
  const nodeName = pod.spec?.nodeName
  if (!nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  const node = reader.get(nodes, nodeName)
  if (node === undefined) throw new StatusError('NotFound', `nodes "${nodeName}" not found`)
  return kubeletAddress(node)
}
