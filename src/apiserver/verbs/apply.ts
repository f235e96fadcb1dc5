import type { Draft } from '#api/kind.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { applyConfiguration } from '#api/meta/server-side-apply/apply.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { objectResponse } from '../encoding/responses.ts'
import { createObject } from '../registry/create-object.ts'
import { textOf } from '../registry/decode-body.ts'
import { fieldWriter, setManagedFields } from '../registry/managed-fields.ts'
import { findObject } from '../registry/read.ts'
import { updateObject, type UpdatePart } from '../registry/update-object.ts'
import type { WriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'
import { requireAllowed } from '../steps/authorize.ts'

/** Server-side apply (KEP-555): a PATCH whose body says which fields its sender wants to own. Creates what is not there. */
export async function applyPart(
  context: ResourceContext,
  part: UpdatePart,
  options: WriteOptions,
): Promise<ApiResponse> {
  const config = await readConfig(context)
  const change = (live: KubernetesObject | undefined): Draft<KubernetesObject> =>
    appliedDraft(context, options, config, live)
  await context.server.feed.current(context.request.signal)
  const exists = findObject(context) !== undefined
  if (exists || context.info.subresource !== '') {
    return objectResponse(await updateObject({ context, options, part, change, recordsManager: false }))
  }
  requireName(context, config)
  requireAllowed({ ...context.info, verb: 'create', user: context.user }, context.server)
  return objectResponse(await createObject(context, change(undefined), options, false), 201)
}

function appliedDraft(
  context: ResourceContext,
  options: WriteOptions,
  config: object,
  live: KubernetesObject | undefined,
): Draft<KubernetesObject> {
  const { node } = context.resource
  const force = options.force === true
  const { object, managedFields } = applyConfiguration({ ...fieldWriter(context, options), node, live, config, force })
  const draft = decodeValue<Draft<KubernetesObject>>(node, object).object
  draft.metadata ??= {} as Draft<KubernetesObject>['metadata']
  setManagedFields(draft, managedFields)
  return draft
}

interface AppliedConfig {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly metadata?: { readonly name?: unknown; readonly managedFields?: unknown }
}

async function readConfig({ request, resource, info }: ResourceContext): Promise<object> {
  const config = await parseConfig(request.body)
  const { apiVersion = '', kind = '', metadata } = config as AppliedConfig
  if (apiVersion !== apiVersionOf(resource) || kind !== resource.kind) {
    const groupVersion = String(apiVersion).includes('/') || apiVersion === '' ? apiVersion : `/${String(apiVersion)}`
    throw badRequest(`invalid object type: ${String(groupVersion === '' ? '/' : groupVersion)}, Kind=${String(kind)}`)
  }
  const given: unknown = metadata?.managedFields
  if (given !== undefined && given !== null) throw badRequest('metadata.managedFields must be nil')
  const name: unknown = metadata?.name
  if (typeof name === 'string' && name !== '' && name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`)
  }
  return config
}

async function parseConfig(body: unknown): Promise<object> {
  const value = body instanceof Uint8Array ? await parseText(textOf(body)) : body
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw badRequest('error decoding YAML: the configuration is no object')
}

async function parseText(text: string): Promise<unknown> {
  const { parseYaml, YamlError } = await import('#lib/yaml.ts')
  try {
    return parseYaml(text).value
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`)
  }
}

/** What apply creates must name itself. */
function requireName({ info }: ResourceContext, { metadata }: AppliedConfig): void {
  if (typeof metadata?.name === 'string' && metadata.name !== '') return
  throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
}
