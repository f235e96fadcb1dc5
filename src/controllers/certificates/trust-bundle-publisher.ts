import { createHash } from 'node:crypto'
import { isStatusError } from '#api/meta/status.ts'
import { clusterTrustBundles, namespaces } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'

const signerName = 'kubernetes.io/kube-apiserver-serving'
const namePrefix = signerName.replaceAll('/', ':')

/** Publishes the CA of the API server's certificate as the one bundle of its signer, for pods that mount it by the signer's name. */
export function trustBundlePublisher({ rootCa }: { readonly rootCa: string }): Controller {
  const name = bundleName(rootCa)
  return defineController({
    name: 'kube-apiserver-serving-clustertrustbundle-publisher-controller',
    serviceAccount: 'kube-apiserver-serving-clustertrustbundle-publisher',
    watches: [
      watchOf(clusterTrustBundles, ({ spec }) => (spec.signerName === signerName ? [name] : [])),
      // Where there is no bundle yet, nothing else would call for one.
      watchOf(namespaces, ({ metadata }, _context, previous) =>
        metadata.name === 'kube-system' && previous === undefined ? [name] : [],
      ),
    ],
    writes: [{ resource: clusterTrustBundles, verbs: ['create', 'update', 'delete'] }],
    reconcile: (_key, context) => publish(name, rootCa, context),
  })
}

/** A new authority gets a bundle of a new name: who reads both meanwhile trusts both. */
function bundleName(trustBundle: string): string {
  const digest = createHash('sha256').update(trustBundle).digest('hex')
  return `${namePrefix}:${digest.slice(0, 24)}`
}

async function publish(name: string, trustBundle: string, { informers, client }: ControllerContext): Promise<void> {
  const bundles = client.resource(clusterTrustBundles)
  const informer = informers.of(clusterTrustBundles)
  const published = informer.get(name)
  if (published === undefined) await bundles.create({ metadata: { name }, spec: { signerName, trustBundle } })
  else if (published.spec.trustBundle !== trustBundle) {
    await bundles.update({ ...published, spec: { ...published.spec, trustBundle } })
  }
  const outdated = informer
    .list()
    .filter(({ metadata, spec }) => spec.signerName === signerName && metadata.name !== name)
  for (const { metadata } of outdated) {
    await bundles.delete(metadata.name).catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
  }
}
