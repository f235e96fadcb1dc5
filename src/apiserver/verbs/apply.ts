import type { Draft } from '#api/kind.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { applyConfiguration } from '#api/meta/server-side-apply/apply.ts'
import { badRequest, conflict, invalid, isStatusError, type StatusError } from '#api/meta/status.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { isPlainObject } from '#api/schema/own-member.ts'
import { objectResponse } from '../encoding/responses.ts'
import { createObject } from '../registry/create-object.ts'
import { textOf, type WantedKind } from '../registry/decode-body.ts'
import { fieldWriter, setManagers } from '../registry/field-managers.ts'
import { updateObject, type UpdatePart } from '../registry/update-object.ts'
import { mainPart } from '../registry/update-parts.ts'
import { readWriteOptions, type WriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'
import { requireAllowed } from '../steps/authorize.ts'

/** PATCH with `application/apply-patch+yaml`: server-side apply (KEP-555). Creates the object if there is none. */
export async function apply(context: ResourceContext, part: UpdatePart): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'PatchOptions')
  requireManager(context)
  const config = await readConfig(context, options)
  checkConfig(context, context.resource, config)
  try {
    const change = (current: KubernetesObject): Draft<KubernetesObject> => merged(context, options, config, current)
    return objectResponse(await updateObject({ context, options, part, managers: 'given', change }))
  } catch (error) {
    if (part !== mainPart || !isStatusError(error, 'NotFound')) throw error
    return objectResponse(await create(context, options, config), 201)
  }
}

export type Config = Partial<Pick<KubernetesObject, 'apiVersion' | 'kind'>> & {
  readonly metadata?: Partial<KubernetesObject['metadata']>
}

export function requireManager({ request }: ResourceContext): void {
  if ((request.query.get('fieldManager') ?? '') !== '') return
  const message = 'Required value: is required for apply patch'
  const error = { type: 'FieldValueRequired', field: 'fieldManager', message } as const
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions', name: '' }, [error])
}

/** The configuration in the body. Keys that a text repeats are warned of or refused, as the options say. */
export async function readConfig(context: ResourceContext, { fieldValidation }: WriteOptions): Promise<Config> {
  const { body } = context.request
  if (!(body instanceof Uint8Array)) return (body ?? {}) as Config
  const json = readJson(body)
  if (json !== undefined) return json
  const { config, duplicates } = await readYaml(body)
  if (duplicates.length === 0 || fieldValidation === 'Ignore') return config
  const problem = `error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`
  if (fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${problem}`)
  context.warnings.push(...duplicates)
  return config
}

/** JSON is YAML too, and read much faster so; undefined for what the reader of YAML must judge. */
function readJson(body: Uint8Array): Config | undefined {
  if (body[0] !== openingBrace) return undefined
  try {
    return JSON.parse(textOf(body)) as Config
  } catch {
    return undefined
  }
}

const openingBrace = 0x7b

async function readYaml(body: Uint8Array): Promise<{ config: Config; duplicates: readonly string[] }> {
  const { parseYamlDocuments, YamlError } = await import('#lib/yaml.ts')
  try {
    const [first] = parseYamlDocuments(textOf(body))
    const value = first?.value ?? {}
    if (isPlainObject(value)) return { config: value as Config, duplicates: first?.duplicates ?? [] }
    const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    const why = `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
    throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`)
  } catch (error) {
    if (error instanceof YamlError) {
      throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`)
    }
    throw error
  }
}

export function checkConfig(
  { info }: ResourceContext,
  wanted: WantedKind,
  { apiVersion = '', kind = '', metadata }: Config,
): void {
  if (apiVersion !== apiVersionOf(wanted) || kind !== wanted.kind) {
    const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
    throw badRequest(`invalid object type: ${groupVersion}, Kind=${kind}`)
  }
  if (metadata?.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  const name = metadata?.name ?? ''
  if (name !== '' && name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`)
  }
}

function merged(
  context: ResourceContext,
  options: WriteOptions,
  config: Config,
  live: KubernetesObject | undefined,
): Draft<KubernetesObject> {
  const { node } = context.resource
  const force = options.force === true
  const result = applyConfiguration({ ...fieldWriter(context, options), node, live, config, force })
  const { object } = decodeValue<Draft<KubernetesObject>>(node, result.object)
  object.metadata ??= {} as Draft<KubernetesObject>['metadata']
  setManagers(object, result.managedFields)
  return object
}

/** Who may only patch must not create this way. */
function create(context: ResourceContext, options: WriteOptions, config: Config): Promise<KubernetesObject> {
  const { info, user, server } = context
  requireAllowed({ ...info, verb: 'create', user }, server)
  if ((config.metadata?.name ?? '') === '') {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  }
  const uid = config.metadata?.uid ?? ''
  if (uid !== '') throw uidMismatch(context, uid)
  return createObject(context, merged(context, options, config, undefined), options, 'given')
}

/** Whoever names a uid means that one object: a new one would be another. */
function uidMismatch({ resource, info }: ResourceContext, uid: string): StatusError {
  const because = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
  return conflict({ group: resource.group, resource: resource.plural, name: info.name }, because)
}
