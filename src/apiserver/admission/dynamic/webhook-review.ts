import { applyJsonPatch, readJsonPatch } from '#api/meta/json-patch.ts'
import { StatusError, badRequest } from '#api/meta/status.ts'
import type { MutatingWebhook, ValidatingWebhook } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'
import { isWanted, nameOf } from './match.ts'
import { webhookTarget } from '../../webhooks/webhook-target.ts'

export type Webhook = MutatingWebhook | ValidatingWebhook

/** What a webhook answered to a request it allows. */
export interface Review {
  /** The object with the webhook's patch applied; undefined if it asked for none. */
  readonly patched: object | undefined
}

const defaultTimeoutSeconds = 10

/**
 * Asks a webhook about a request (AdmissionReview, `admission.k8s.io/v1`). Undefined: it is not concerned, or failed and
 * may be passed over. Throws the `StatusError` of a denial, or of a failure that must not be passed over.
 */
export async function reviewBy(
  webhook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<Review | undefined> {
  if (!isWanted({ ...webhook, rules: webhook.rules ?? [] }, request, context)) return undefined
  try {
    if (!(await conditionsHold(webhook, request, context))) return undefined
  } catch (error) {
    return fail(webhook, `failed evaluating match conditions: ${(error as Error).message}`)
  }
  const { sideEffects } = webhook
  if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  }
  let answer: Answer
  try {
    answer = await call(webhook, request, context)
  } catch (error) {
    return fail(webhook, (error as Error).message)
  }
  for (const warning of answer.warnings ?? []) request.warn?.(warning)
  if (answer.allowed !== true) throw denial(webhook, answer)
  return { patched: patchedBy(webhook, answer, request) }
}

async function conditionsHold(
  webhook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<boolean> {
  const { matchConditions = [] } = webhook
  if (matchConditions.length === 0) return true
  const expressions = await import('./expressions.ts')
  return expressions.conditionsHold(matchConditions, expressions.activationOf(request, context, null, []))
}

/** Passes over a webhook that may fail; else the request fails with it. */
function fail({ name, failurePolicy }: Webhook, why: string): undefined {
  if (failurePolicy === 'Ignore') return undefined
  const message = `failed calling webhook ${JSON.stringify(name)}: ${why}`
  throw new StatusError('InternalError', `Internal error occurred: ${message}`, { details: { causes: [{ message }] } })
}

interface Answer {
  readonly uid?: string
  readonly allowed?: boolean
  readonly status?: { readonly message?: string; readonly reason?: string; readonly code?: number }
  readonly patch?: string
  readonly patchType?: string
  readonly warnings?: readonly string[]
}

async function call(webhook: Webhook, request: AdmissionRequest, context: AdmissionContext): Promise<Answer> {
  const { callWebhook } = context
  if (callWebhook === undefined) throw new Error('this server calls no webhooks')
  const seconds = webhook.timeoutSeconds ?? defaultTimeoutSeconds
  const target = webhookTarget(webhook.clientConfig, seconds, context.reader)
  const uid = context.random.uuid()
  const body = JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: { uid, ...reviewed(request, context) },
  })
  let given: unknown
  try {
    given = await callWebhook(target, body, seconds * 1_000)
  } catch (error) {
    throw new Error(`failed to call webhook: Post ${JSON.stringify(target.url.href)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const { response } = (given ?? {}) as { readonly response?: Answer }
  if (response === undefined) throw new Error('received invalid webhook response: webhook response was absent')
  if (response.uid !== uid) {
    throw new Error(
      `received invalid webhook response: expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`,
    )
  }
  return response
}

const optionsKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const

function reviewed(request: AdmissionRequest, { resources }: AdmissionContext): object {
  const { info, operation, user, object, oldObject, dryRun } = request
  const { group, version, resource: plural, subresource } = info
  const kind = { group, version, kind: object?.kind ?? resources?.find(group, version, plural)?.kind ?? '' }
  const resource = { group, version, resource: plural }
  const optionsKind = optionsKinds[operation]
  return {
    kind,
    resource,
    ...(subresource !== '' && { subResource: subresource }),
    requestKind: kind,
    requestResource: resource,
    ...(subresource !== '' && { requestSubResource: subresource }),
    ...(nameOf(request) !== '' && { name: nameOf(request) }),
    ...(info.namespace !== '' && { namespace: info.namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun,
    options: optionsKind === '' ? null : { kind: optionsKind, apiVersion: 'meta.k8s.io/v1' },
  }
}

const forbidden = 403

function denial({ name }: Webhook, { status = {} }: Answer): StatusError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = status.message || status.reason
  const message = why ? `${by}: ${why}` : `${by} without explanation`
  const code = status.code === undefined || status.code < 400 ? forbidden : status.code
  return StatusError.from({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(status.reason && { reason: status.reason }),
    code,
  })
}

function patchedBy(webhook: Webhook, { patch, patchType }: Answer, { object }: AdmissionRequest): object | undefined {
  if (patch === undefined || patch === '' || object === undefined || !('reinvocationPolicy' in webhook))
    return undefined
  if (patchType !== 'JSONPatch')
    return fail(webhook, `received invalid webhook response: unsupported patch type ${JSON.stringify(patchType ?? '')}`)
  try {
    return applyJsonPatch(object, readJsonPatch(JSON.parse(Buffer.from(patch, 'base64').toString()))) as object
  } catch (error) {
    return fail(webhook, (error as Error).message)
  }
}
