import { nodes, pods, serviceAccounts } from '#api/types/resources.ts'
import { StatusError, notFound } from '#api/meta/status.ts'
import type { PodCertificateRequest } from '#api/types/certificates.v1beta1.ts'
import type { AdmissionContext, AdmissionRequest } from './admission.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

/**
 * What is wrong with a kubelet's request: it asks for pods that run on its node, as who they are. Uids that differ are no
 * refusal for good: this server may have old news.
 */
export function podCertificateProblem(
  { operation, info, object }: AdmissionRequest,
  nodeName: string,
  { reader }: AdmissionContext,
): string | undefined {
  if (operation !== 'CREATE')
    return `unexpected operation "${operation}", node "${nodeName}" can only create PodCertificateRequests`
  const { spec } = object as unknown as PodCertificateRequest
  const { namespace } = info
  const pod = `"${namespace}/${spec.podName}"`
  const about = `PodCertificateRequest for pod ${pod}`
  if (spec.nodeName !== nodeName) {
    return `PodCertificateRequest.Spec.NodeName="${spec.nodeName}", which is not the requesting node "${nodeName}"`
  }
  const node = reader.get(nodes, nodeName)
  if (node === undefined) throw notFound({ group: '', resource: 'nodes', name: nodeName })
  if (node.metadata.uid !== spec.nodeUID) {
    const running = `inconsistent with the running node ("${node.metadata.uid}")`
    throw stale(`${about} names node UID "${spec.nodeUID}", ${running}`)
  }
  const running = reader.get(pods, spec.podName, namespace)
  if (running === undefined) throw notFound({ group: '', resource: 'pods', name: spec.podName })
  if (running.metadata.uid !== spec.podUID) {
    throw stale(`${about} contains pod UID ("${spec.podUID}") which differs from running pod "${running.metadata.uid}"`)
  }
  if (running.spec?.nodeName !== nodeName) {
    return `pod ${pod} is not running on node "${nodeName}" named in the PodCertificateRequest`
  }
  if (running.metadata.annotations?.[mirrorAnnotation] !== undefined) return `pod ${pod} is a mirror pod`
  return accountProblem(spec, { about, namespace, own: running.spec.serviceAccountName ?? '' }, reader)
}

function accountProblem(
  { serviceAccountName, serviceAccountUID }: PodCertificateRequest['spec'],
  { about, namespace, own }: { readonly about: string; readonly namespace: string; readonly own: string },
  reader: AdmissionContext['reader'],
): string | undefined {
  if (serviceAccountName !== own) {
    return `${about} contains serviceAccountName ("${serviceAccountName}") that differs from running pod ("${own}")`
  }
  const account = reader.get(serviceAccounts, serviceAccountName, namespace)
  if (account === undefined) {
    const who = `service account "${namespace}/${serviceAccountName}"`
    throw stale(`while retrieving ${who} named in the PodCertificateRequest: not found`)
  }
  if (account.metadata.uid === serviceAccountUID) return undefined
  const running = `which differs from the running service account ("${account.metadata.uid}")`
  throw stale(`${about} names service account UID "${serviceAccountUID}", ${running}`)
}

function stale(message: string): StatusError {
  return new StatusError('InternalError', message)
}
