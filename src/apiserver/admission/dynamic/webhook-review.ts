import { applyJsonPatch, readJsonPatch } from '#api/meta/json-patch.ts'
import { StatusError, badRequest } from '#api/meta/status.ts'
import type { MutatingWebhook, ValidatingWebhook } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import { refuse } from '../refuse.ts'
import { nameOf, wantedAs } from './match.ts'
import { kindOf, versioned, type VersionedRequest } from './versioned.ts'
import { webhookTarget } from '../../webhooks/webhook-target.ts'

export type Webhook = MutatingWebhook | ValidatingWebhook

const defaultTimeoutSeconds = 10

/**
 * Asks a webhook about a request (AdmissionReview, `admission.k8s.io/v1`); answers the object with its patch applied, in
 * the version that the webhook saw. Undefined: it is not concerned, asked for no change, or failed and may be passed over.
 * Throws the `StatusError` of a denial, or of a failure that must not be passed over.
 */
export async function reviewBy(
  webhook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<Patched | undefined> {
  const wanted = wantedAs({ ...webhook, rules: webhook.rules ?? [] }, request, context)
  if (wanted === undefined) return undefined
  const shown = await versioned(request, wanted.other, context)
  if (!(await conditionsHold(webhook, shown, context))) return undefined
  const { sideEffects } = webhook
  if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  }
  let answer: Answer
  try {
    answer = await call(webhook, shown, context)
  } catch (error) {
    return fail(webhook, (error as Error).message)
  }
  for (const warning of answer.warnings ?? []) request.warn?.(warning)
  if (answer.allowed !== true) throw denial(webhook, answer)
  return patchedBy(webhook, answer, shown)
}

/** What a webhook made of an object. */
export interface Patched {
  readonly object: object
  readonly version: ServedResource | undefined
}

async function conditionsHold(
  { matchConditions = [], failurePolicy }: Webhook,
  shown: VersionedRequest,
  context: AdmissionContext,
): Promise<boolean> {
  if (matchConditions.length === 0) return true
  const expressions = await import('./expressions.ts')
  try {
    return expressions.conditionsHold(matchConditions, expressions.activationOf(shown, context, null, []))
  } catch (error) {
    if (failurePolicy === 'Ignore') return false
    throw refuse(shown.request, (error as Error).message)
  }
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

async function call(webhook: Webhook, shown: VersionedRequest, context: AdmissionContext): Promise<Answer> {
  const { callWebhook } = context
  if (callWebhook === undefined) throw new Error('this server calls no webhooks')
  const seconds = webhook.timeoutSeconds ?? defaultTimeoutSeconds
  const version = (webhook.admissionReviewVersions ?? []).find((each) => reviewVersions.includes(each))
  if (version === undefined) throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  const uid = context.random.uuid()
  const apiVersion = `admission.k8s.io/${version}`
  const body = JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion,
    request: { uid, ...reviewed(shown, context) },
  })
  let given: unknown
  try {
    const target = webhookTarget(webhook.clientConfig, seconds, context.reader)
    given = await callWebhook(target, body, seconds * 1_000)
  } catch (error) {
    throw new Error(`failed to call webhook: ${(error as Error).message}`, { cause: error })
  }
  return readAnswer(given, { uid, apiVersion })
}

const reviewVersions = ['v1', 'v1beta1']

/** Version 1 is strict about what comes back. */
function readAnswer(
  given: unknown,
  { uid, apiVersion }: { readonly uid: string; readonly apiVersion: string },
): Answer {
  const invalid = (why: string): Error => new Error(`received invalid webhook response: ${why}`)
  const review = (given ?? {}) as { readonly response?: Answer; readonly apiVersion?: string; readonly kind?: string }
  const { response } = review
  if (response === undefined) throw invalid('webhook response was absent')
  if (apiVersion !== 'admission.k8s.io/v1') return response
  if (response.uid !== uid) {
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  if (review.apiVersion !== apiVersion || review.kind !== 'AdmissionReview') {
    const got = `${review.apiVersion ?? ''}, Kind=${review.kind ?? ''}`
    throw invalid(`expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${got}`)
  }
  const { patch = '', patchType = '' } = response
  if (patch !== '' && patchType === '') throw invalid('webhook returned response.patch but not response.patchType')
  if (patchType !== '' && patch === '') throw invalid('webhook returned response.patchType but not response.patch')
  if (patchType !== '' && patchType !== 'JSONPatch') {
    throw invalid(`invalid response.patchType of ${JSON.stringify(patchType)}`)
  }
  return response
}

const optionsKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const

function reviewed({ request, other, object, oldObject }: VersionedRequest, { resources }: AdmissionContext): object {
  const { info, operation, user, dryRun } = request
  const { group, version, resource: plural, subresource } = info
  const own = resources?.find(group, version, plural)
  const optionsKind = optionsKinds[operation]
  return {
    kind: kindOf(request, other ?? own),
    resource: other === undefined ? { group, version, resource: plural } : placeOf(other),
    ...(subresource !== '' && { subResource: subresource }),
    requestKind: kindOf(request, own),
    requestResource: { group, version, resource: plural },
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

function placeOf({ group, version, plural }: ServedResource): object {
  return { group, version, resource: plural }
}

const leastRefusal = 400

function denial({ name }: Webhook, { status = {} }: Answer): StatusError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = status.message || status.reason
  const message = why ? `${by}: ${why}` : `${by} without explanation`
  // A denial is never told with a code of success.
  const code = Math.max(status.code ?? 0, leastRefusal)
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

function patchedBy(webhook: Webhook, { patch }: Answer, { object, other }: VersionedRequest): Patched | undefined {
  if (patch === undefined || patch === '' || object === undefined || !('reinvocationPolicy' in webhook))
    return undefined
  try {
    const operations = readJsonPatch(JSON.parse(Buffer.from(patch, 'base64').toString()))
    return { object: applyJsonPatch(object, operations) as object, version: other }
  } catch (error) {
    // What a webhook asks for is its own mistake, and no reason to pass it over.
    throw new StatusError('InternalError', `Internal error occurred: ${(error as Error).message}`, { cause: error })
  }
}
