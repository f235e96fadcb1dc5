import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { certificateSigningRequests } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { readRequest } from './approval.ts'
import type { Sign } from './signer.ts'
import { conditionOf, signerRules } from './signer-rules.ts'

/** Issues the certificates of approved requests to Kubernetes' own signers, or says why they must not be issued. */
export function certificateSigningController(sign: Sign): Controller {
  return defineController({
    name: 'certificate-signing-controller',
    serviceAccount: 'certificate-controller',
    watches: [watchOf(certificateSigningRequests)],
    writes: [{ resource: certificateSigningRequests, subresource: 'status', verbs: ['update'] }],
    reconcile: (name, context) => reconcile(name, context, sign),
  })
}

async function reconcile(name: string, { informers, client, clock }: ControllerContext, sign: Sign): Promise<void> {
  const request = informers.of(certificateSigningRequests).get(name)
  if (request === undefined || request.status?.certificate || conditionOf(request, 'Failed')) return
  if (!conditionOf(request, 'Approved') || conditionOf(request, 'Denied')) return
  const rule = signerRules[request.spec.signerName]
  if (rule === undefined) return
  const parsed = readRequest(request)
  const refusal = parsed === undefined ? 'the request cannot be read' : rule.refusal(parsed, request.spec.usages ?? [])
  const status =
    parsed === undefined || refusal !== undefined
      ? failed(request, refusal ?? '', formatTime(clock.now()))
      : { ...request.status, certificate: Buffer.from(await sign(parsed, request.spec)).toString('base64') }
  await client.resource(certificateSigningRequests).updateStatus({ ...request, status })
}

function failed(
  { status }: CertificateSigningRequest,
  message: string,
  now: string,
): CertificateSigningRequest['status'] {
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  return { ...status, conditions: [...(status?.conditions ?? []), condition] }
}
