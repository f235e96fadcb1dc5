import { matcherOf } from '#api/meta/labels.ts'
import type { ClusterTrustBundle } from '#api/types/certificates.v1beta1.ts'
import type { ClusterTrustBundleProjection } from '#api/types/core.v1.ts'
import { clusterTrustBundles } from '#api/types/resources.ts'
import { encodePem, readLooseBlocks } from '#lib/x509/pem.ts'
import type { PodObjects } from '../objects/pod-objects.ts'

/** The authorities that a source names, as PEM: each once, in an order that depends on nothing but what they are. */
export async function trustAnchors(objects: PodObjects, source: ClusterTrustBundleProjection): Promise<string> {
  const { name, signerName, labelSelector, optional } = source
  if (name !== undefined) {
    const concerns = ({ metadata }: ClusterTrustBundle): boolean => metadata.name === name
    const bundle = (await objects.follow(clusterTrustBundles, { key: name, concerns })).get(name)
    if (bundle !== undefined) return anchorsOf([bundle])
    if (optional === true) return ''
    throw new Error(`while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${name}" not found`)
  }
  if (signerName === undefined) {
    throw new Error('ClusterTrustBundle projection requires either name or signerName to be set')
  }
  const ofSigner = ({ spec }: ClusterTrustBundle): boolean => spec.signerName === signerName
  const all = await objects.follow(clusterTrustBundles, { key: signerName, concerns: ofSigner })
  // An absent selector matches nothing, an empty one everything.
  const selector = labelSelector === undefined ? undefined : matcherOf(labelSelector)
  const chosen = all
    .list()
    .filter((bundle) => ofSigner(bundle) && selector?.matches(bundle.metadata.labels ?? {}) === true)
  if (chosen.length > 0) return anchorsOf(chosen)
  if (optional === true) return ''
  throw new Error('combination of signerName and labelSelector matched zero ClusterTrustBundles')
}

function anchorsOf(bundles: readonly ClusterTrustBundle[]): string {
  const anchors = bundles.flatMap(({ spec }) => readLooseBlocks(spec.trustBundle).map(({ der }) => der))
  const texts = new Set(anchors.map((der) => encodePem('CERTIFICATE', der)))
  return [...texts].sort().join('')
}
