import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import { isPlainObject } from '#api/schema/own-member.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { WebhookCaller } from '../webhooks/webhook-caller.ts'
import { webhookTarget } from '../webhooks/webhook-target.ts'

/** Asks the webhook of a definition to bring objects into another version; answers them in the same order. */
export type ConvertByWebhook = (
  definition: CustomResourceDefinition,
  objects: readonly KubernetesObject[],
  apiVersion: string,
) => Promise<readonly KubernetesObject[]>

export interface ConversionParts {
  readonly reader: ObjectReader
  readonly random: Random
  readonly callWebhook: WebhookCaller | undefined
}

const timeoutSeconds = 30
const knownReviews = ['v1', 'v1beta1']

/** Converts by ConversionReview (Kubernetes docs, "Versions in CustomResourceDefinitions: Webhook conversion"). */
export function webhookConverter(parts: ConversionParts): ConvertByWebhook {
  return async (definition, objects, apiVersion) => {
    const [first] = objects
    if (first === undefined) return []
    const who = `conversion webhook for ${gvkText(first)}`
    let answer: Response
    try {
      answer = await ask(parts, definition, objects, apiVersion)
    } catch (error) {
      throw failure(`${who} failed: ${(error as Error).message}`, error)
    }
    const { convertedObjects = [] } = answer
    if (convertedObjects.length !== objects.length) {
      throw failure(`${who} returned ${convertedObjects.length} objects, expected ${objects.length}`)
    }
    return objects.map((original, index) => {
      try {
        return checked(original, convertedObjects[index], apiVersion)
      } catch (error) {
        throw failure(`${who} returned invalid converted object at index ${index}: ${(error as Error).message}`, error)
      }
    })
  }
}

/** A failure of others: a 500 without a reason, in their words. */
function failure(message: string, cause?: unknown): StatusError {
  return new StatusError('', message, { code: 500, cause })
}

interface Response {
  readonly uid?: string
  readonly convertedObjects?: readonly unknown[]
  readonly result?: { readonly status?: string; readonly message?: string }
}

async function ask(
  { reader, random, callWebhook }: ConversionParts,
  { spec }: CustomResourceDefinition,
  objects: readonly KubernetesObject[],
  desiredAPIVersion: string,
): Promise<Response> {
  const { clientConfig, conversionReviewVersions = [] } = spec.conversion?.webhook ?? {}
  if (callWebhook === undefined || clientConfig === undefined) throw new Error('this server calls no webhooks')
  const version = conversionReviewVersions.find((each) => knownReviews.includes(each))
  if (version === undefined) throw new Error('no recognized conversion review versions')
  const uid = random.uuid()
  const apiVersion = `apiextensions.k8s.io/${version}`
  const review = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } }
  const target = webhookTarget(clientConfig, timeoutSeconds, reader)
  const given = await callWebhook(target, JSON.stringify(review), timeoutSeconds * 1_000)
  const { response } = (given ?? {}) as { readonly response?: Response }
  if (response === undefined) throw new Error('no response provided')
  if (version === 'v1' && response.uid !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  const { status = '', message = '' } = response.result ?? {}
  if (status === 'Success') return response
  throw new Error(message || `response.result.status was ${JSON.stringify(status)}, expected "Success"`)
}

function gvkText({ apiVersion, kind }: KubernetesObject): string {
  return `${apiVersion}, Kind=${kind}`
}

/** What came back for an object, if it is that object: a webhook changes no identity, and of metadata only labels and annotations. */
function checked(original: KubernetesObject, converted: unknown, apiVersion: string): KubernetesObject {
  if (!isPlainObject(converted)) throw new Error('must be an object')
  const object = converted as unknown as KubernetesObject
  if (object.apiVersion !== apiVersion) {
    throw new Error(`invalid groupVersion (expected: ${apiVersion}, received: ${object.apiVersion ?? ''})`)
  }
  if (object.kind !== original.kind) {
    throw new Error(`invalid kind (expected: ${original.kind}, received: ${object.kind ?? ''})`)
  }
  if (!isPlainObject(object.metadata))
    throw new Error('restoring metadata failed: missing metadata in converted object')
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const [was = '', is = ''] = [original.metadata[field], object.metadata[field]]
    if (was !== is) throw new Error(`must have the same ${field === 'uid' ? 'UID' : field}: ${was} != ${is}`)
  }
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata
  const { labels, annotations } = object.metadata
  return { ...object, metadata: { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) } }
}
