import { isStatusError } from '#api/meta/status.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, namespaces } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceActive } from '../namespace-facts.ts'
import { isNamespaceTerminating } from '../pod-from-template.ts'

const name = 'kube-root-ca.crt'
const dataKey = 'ca.crt'
const description = 'kubernetes.io/description'
const descriptionText =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the ' +
  'internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Publishes the cluster's CA in every namespace, where projected service-account volumes take it from. */
export function rootCaController({ rootCa }: { readonly rootCa: string }): Controller {
  return defineController({
    name: 'root-ca-cert-publisher',
    queueName: 'root_ca_cert_publisher',
    watches: [watchOf(namespaces), watchOf(configMaps, namespaceOfPublished)],
    writes: [{ resource: configMaps, verbs: ['create', 'update'] }],
    reconcile: (namespace, context) => publish(rootCa, namespace, context),
  })
}

function namespaceOfPublished({ metadata }: ConfigMap): readonly string[] {
  return metadata.name === name && metadata.namespace !== undefined ? [metadata.namespace] : []
}

async function publish(rootCa: string, namespace: string, { informers, client }: ControllerContext): Promise<void> {
  if (!isNamespaceActive(informers.of(namespaces).get(namespace))) return
  const data = { [dataKey]: rootCa }
  const collection = client.resource(configMaps, namespace)
  const published = informers.of(configMaps).get(name, namespace)
  try {
    if (published === undefined) {
      await collection.create({ metadata: { name, namespace, annotations: { [description]: descriptionText } }, data })
    } else if (!isUpToDate(published, rootCa)) {
      const annotations = { ...published.metadata.annotations, [description]: descriptionText }
      await collection.update({ ...published, metadata: { ...published.metadata, annotations }, data })
    }
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error
  }
}

function isUpToDate({ data, metadata }: ConfigMap, rootCa: string): boolean {
  const isAlone = Object.keys(data ?? {}).length === 1
  return isAlone && data?.[dataKey] === rootCa && metadata.annotations?.[description] !== undefined
}
