import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#api/types/resources.ts'
import type { MutatingWebhook, ValidatingWebhook } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isInvoked, noteInvocation } from '../reinvocation.ts'
import { replaceObject } from './replace-object.ts'
import { reviewBy } from './webhook-review.ts'

const every = {
  resources: ['*'],
  subresources: ['*'],
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
} as const satisfies Partial<AdmissionPlugin>

/** Nobody may lock the door from outside: what configures webhooks and policies is not shown to webhooks. */
function isExempt({ info }: AdmissionRequest): boolean {
  return info.group === 'admissionregistration.k8s.io'
}

/** Lets MutatingWebhookConfigurations change objects, one webhook after the other, by name of their configuration. */
export const mutatingAdmissionWebhook: AdmissionPlugin = {
  name: 'MutatingAdmissionWebhook',
  ...every,
  mutate(request, context) {
    const configurations = context.reader.list(mutatingWebhookConfigurations)
    if (configurations.length === 0 || isExempt(request)) return
    return mutateBy(
      configurations.flatMap(({ webhooks = [] }) => webhooks),
      request,
      context,
    )
  },
}

async function mutateBy(
  webhooks: readonly MutatingWebhook[],
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  for (const webhook of webhooks) {
    if (!isInvoked(request, webhook, webhook.reinvocationPolicy)) continue
    const patched = await reviewBy(webhook, request, context)
    const { info, object } = request
    const resource = context.resources?.find(info.group, info.version, info.resource)
    if (patched !== undefined && object !== undefined && resource !== undefined) {
      await replaceObject({ resource, request, draft: object }, patched.object, patched.version)
    }
    noteInvocation(request, webhook, webhook.reinvocationPolicy)
  }
}

/** Asks ValidatingWebhookConfigurations, all at once; the first denial in their order counts. */
export const validatingAdmissionWebhook: AdmissionPlugin = {
  name: 'ValidatingAdmissionWebhook',
  ...every,
  validate(request, context) {
    const configurations = context.reader.list(validatingWebhookConfigurations)
    if (configurations.length === 0 || isExempt(request)) return
    return judgeBy(
      configurations.flatMap(({ webhooks = [] }) => webhooks),
      request,
      context,
    )
  },
}

async function judgeBy(
  webhooks: readonly ValidatingWebhook[],
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  const results = await Promise.allSettled(webhooks.map((webhook) => reviewBy(webhook, request, context)))
  for (const result of results) if (result.status === 'rejected') throw result.reason as Error
}
