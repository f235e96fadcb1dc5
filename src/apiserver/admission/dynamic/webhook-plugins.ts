import { isSameJson } from '#api/meta/merge-patch.ts'
import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#api/types/resources.ts'
import type { MutatingWebhook, ValidatingWebhook } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../admission.ts'
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
  const seen = new Map<MutatingWebhook, unknown>()
  for (const webhook of webhooks) {
    await mutateOnce(webhook, request, context)
    seen.set(webhook, webhook.reinvocationPolicy === 'IfNeeded' ? structuredClone(request.object) : undefined)
  }
  for (const webhook of webhooks) {
    const isAskedAgain = webhook.reinvocationPolicy === 'IfNeeded' && !isSameJson(seen.get(webhook), request.object)
    if (isAskedAgain && request.object !== undefined) await mutateOnce(webhook, request, context)
  }
}

async function mutateOnce(
  webhook: MutatingWebhook,
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  const review = await reviewBy(webhook, request, context)
  const { info, object } = request
  const resource = context.resources?.find(info.group, info.version, info.resource)
  if (review?.patched === undefined || object === undefined || resource === undefined) return
  replaceObject(resource, object, review.patched)
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
