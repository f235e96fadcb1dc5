import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { certificateSigningRequests, subjectAccessReviews } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { DerError } from '#lib/x509/der.ts'
import { parseSigningRequest, type SigningRequest } from '#lib/x509/signing-request.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { clientKubeletSigner, conditionOf, signerRules } from './signer-rules.ts'

/** Approves the client certificates of kubelets whose requester may have them; every other request waits for a person. */
export const certificateApprovalController = defineController({
  name: 'certificate-approval-controller',
  serviceAccount: 'certificate-controller',
  watches: [watchOf(certificateSigningRequests)],
  writes: [
    { resource: certificateSigningRequests, subresource: 'approval', verbs: ['update'] },
    { resource: subjectAccessReviews, verbs: ['create'] },
  ],
  reconcile,
})

async function reconcile(name: string, context: ControllerContext): Promise<void> {
  const request = context.informers.of(certificateSigningRequests).get(name)
  if (request === undefined || request.spec.signerName !== clientKubeletSigner) return
  if (conditionOf(request, 'Approved') || conditionOf(request, 'Denied')) return
  const parsed = readRequest(request)
  if (parsed === undefined) return
  if (signerRules[clientKubeletSigner]?.refusal(parsed, request.spec.usages ?? []) !== undefined) return
  const isOwn = request.spec.username === parsed.subject.commonName
  const subresource = isOwn ? 'selfnodeclient' : 'nodeclient'
  if (!(await mayHave(context, request, subresource))) {
    throw new Error(`The requester ${request.spec.username} may not create certificatesigningrequests/${subresource}`)
  }
  const what = isOwn ? 'self kubelet client certificate' : 'kubelet client certificate'
  await approve(context, request, `Auto approving ${what} after SubjectAccessReview.`)
}

/** The decoded request; undefined for one that cannot be read. */
export function readRequest({ spec }: CertificateSigningRequest): SigningRequest | undefined {
  try {
    return parseSigningRequest(Buffer.from(spec.request, 'base64').toString('utf8'))
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

async function mayHave(
  { client }: ControllerContext,
  { spec }: CertificateSigningRequest,
  subresource: string,
): Promise<boolean> {
  const { username = '', uid = '', groups = [], extra = {} } = spec
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    verb: 'create',
    subresource,
  }
  const review = await client
    .resource(subjectAccessReviews)
    .create({ metadata: {}, spec: { user: username, uid, groups, extra, resourceAttributes } })
  return review.status?.allowed === true
}

/** Writes the condition that lets the signer go on. */
export async function approve(
  { client, clock }: ControllerContext,
  request: CertificateSigningRequest,
  message: string,
): Promise<void> {
  const now = formatTime(clock.now())
  const condition = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  const conditions = [...(request.status?.conditions ?? []), condition]
  const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${encodeURIComponent(request.metadata.name)}/approval`
  await client.raw({ method: 'PUT', path, body: { ...request, status: { ...request.status, conditions } } })
}
