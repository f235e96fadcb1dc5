import { deepEqual } from '#api/meta/deep-equal.ts'
import type { ClusterTrustBundle } from '#api/types/certificates.v1beta1.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refuse } from './refuse.ts'
import { mayUseSigner } from './signer-rights.ts'

/** Whoever says what a signer's authorities are takes the right `attest` on the signer (KEP-3257). */
export const clusterTrustBundleAttest: AdmissionPlugin = {
  name: 'ClusterTrustBundleAttest',
  resources: ['certificates.k8s.io/clustertrustbundles'],
  operations: ['CREATE', 'UPDATE'],
  validate(request, context) {
    const bundle = request.object as unknown as ClusterTrustBundle
    const { signerName = '' } = bundle.spec
    if (signerName === '') return
    if (request.oldObject !== undefined && isOnlyCollected(bundle, request.oldObject as ClusterTrustBundle)) return
    if (mayUseSigner(request, context, { verb: 'attest', signerName })) return
    throw refuse(request, `user not permitted to attest for signerName "${signerName}"`)
  },
}

/** Garbage collection and storage migration write objects that say what they said before. */
function isOnlyCollected(now: ClusterTrustBundle, old: ClusterTrustBundle): boolean {
  return deepEqual(essence(now), essence(old))
}

function essence({ metadata, ...rest }: ClusterTrustBundle): object {
  const {
    ownerReferences: _owners,
    finalizers: _held,
    managedFields: _managers,
    resourceVersion: _,
    ...kept
  } = metadata
  return { ...rest, metadata: kept }
}
