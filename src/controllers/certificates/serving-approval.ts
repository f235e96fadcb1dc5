import { certificateSigningRequests, nodes } from '#api/types/resources.ts'
import type { Node } from '#api/types/core.v1.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { approve, readRequest } from './approval.ts'
import { servingRefusal } from './serving-refusal.ts'
import { conditionOf, signerRules } from './signer-rules.ts'

const signerName = 'kubernetes.io/kubelet-serving'

/**
 * Approves the serving certificates of kubelets for their own name and addresses. Kubernetes leaves these to whoever
 * runs the cluster, because only they know which node may have which address; here that is what the API says.
 */
export const kubeletServingApprover = defineController({
  name: 'kubelet-serving-approver',
  watches: [watchOf(certificateSigningRequests), watchOf(nodes, pendingRequestsOf)],
  writes: [{ resource: certificateSigningRequests, subresource: 'approval', verbs: ['update'] }],
  reconcile,
})

/** A request may come before its node has told its addresses. */
function pendingRequestsOf({ metadata, status }: Node, context: ControllerContext, previous?: Node): readonly string[] {
  if (previous !== undefined && previous.status?.addresses === status?.addresses) return []
  return context.informers
    .of(certificateSigningRequests)
    .list()
    .filter(({ spec }) => spec.signerName === signerName && spec.username === `system:node:${metadata.name}`)
    .map((request) => request.metadata.name)
}

async function reconcile(name: string, context: ControllerContext): Promise<void> {
  const request = context.informers.of(certificateSigningRequests).get(name)
  if (request === undefined || request.spec.signerName !== signerName) return
  if (conditionOf(request, 'Approved') || conditionOf(request, 'Denied')) return
  const parsed = readRequest(request)
  if (parsed === undefined) return
  if (signerRules[signerName]?.refusal(parsed, request.spec.usages ?? []) !== undefined) return
  const refusal = servingRefusal(parsed, request.spec, context.informers.of(nodes).list())
  if (refusal === undefined) {
    await approve(context, request, 'Auto approving kubelet serving certificate for its own name and addresses.')
  } else {
    context.log.info('A serving certificate of a kubelet waits for approval', { request: name, reason: refusal })
  }
}
