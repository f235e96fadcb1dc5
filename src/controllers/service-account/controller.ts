import { isStatusError } from '#api/meta/status.ts'
import type { ServiceAccount } from '#api/types/core.v1.ts'
import { namespaces, serviceAccounts } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceActive } from '../namespace-facts.ts'
import { isNamespaceTerminating } from '../pod-from-template.ts'

const defaultName = 'default'

/** Makes sure that every namespace has the service account `default`, which pods use unless told otherwise. */
export const serviceAccountController = defineController({
  name: 'service-account-controller',
  queueName: 'serviceaccount',
  watches: [watchOf(namespaces), watchOf(serviceAccounts, namespaceOfDefault)],
  writes: [{ resource: serviceAccounts, verbs: ['create'] }],
  reconcile,
})

function namespaceOfDefault({ metadata }: ServiceAccount): readonly string[] {
  return metadata.name === defaultName && metadata.namespace !== undefined ? [metadata.namespace] : []
}

async function reconcile(namespace: string, { informers, client }: ControllerContext): Promise<void> {
  if (!isNamespaceActive(informers.of(namespaces).get(namespace))) return
  if (informers.of(serviceAccounts).get(defaultName, namespace) !== undefined) return
  try {
    await client.resource(serviceAccounts, namespace).create({ metadata: { name: defaultName, namespace } })
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error
  }
}
