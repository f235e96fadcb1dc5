import { notFound, StatusError } from '#api/meta/status.ts'
import { namespaces } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refuse } from './refuse.ts'

const immortal: readonly string[] = ['default', 'kube-system', 'kube-public']

/** Nothing is created in a namespace that is missing or going away, and some namespaces never go. */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  resources: ['*'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  mutate(request, { reader }) {
    const { info, operation } = request
    if (operation === 'DELETE' && info.group === '' && info.resource === 'namespaces' && immortal.includes(info.name)) {
      throw refuse(request, 'this namespace may not be deleted')
    }
    if (info.namespace === '' || info.resource === 'namespaces' || operation === 'DELETE') return
    if (info.group === 'authorization.k8s.io' && info.resource === 'localsubjectaccessreviews') return
    const namespace = reader.get(namespaces, info.namespace)
    if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces', name: info.namespace })
    if (operation !== 'CREATE') return
    if (namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating') return
    const refusal = refuse(
      request,
      `unable to create new content in namespace ${info.namespace} because it is being terminated`,
    )
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${info.namespace} is being terminated`,
      field: 'metadata.namespace',
    }
    throw new StatusError('Forbidden', refusal.message, { details: { ...refusal.details, causes: [cause] } })
  },
}
