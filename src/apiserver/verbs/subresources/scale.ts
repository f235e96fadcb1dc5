import { valueAt, type ScalePaths } from '#api/apiextensions/scale-paths.ts'
import type { Draft } from '#api/kind.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { formatLabelSelector, matcherOf, matcherOfLabels } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { invalid, StatusError } from '#api/meta/status.ts'
import type { Scale } from '#api/types/autoscaling.v1.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import { objectResponse } from '../../encoding/responses.ts'
import { decodeObject, schemaOf } from '../../registry/decode-body.ts'
import { decodePatched } from '../../registry/decode-patched.ts'
import { deepCopy } from '../../registry/deep-copy.ts'
import { patchTypeOf, readPatch, type PatchDocument } from '../../registry/patch-document.ts'
import { prepareObject, requireObject } from '../../registry/read.ts'
import { checkName, updateObject } from '../../registry/update-object.ts'
import { mainPart } from '../../registry/update-parts.ts'
import { readWriteOptions, type WriteOptions } from '../../registry/write-options.ts'
import type { ResourceContext } from '../../request-context.ts'
import { checkConfig, readConfig, requireManager } from '../apply.ts'
import { checkUid } from '../update.ts'
import { appliedScale } from './apply-scale.ts'

/** Any kind that can be scaled: a number of replicas, and a selector of the pods that are counted. */
interface Scalable extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelector | Readonly<Record<string, string>> }
  readonly status?: { readonly replicas?: number }
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

/** GET of `/scale`. */
export async function getScale(context: ResourceContext): Promise<ApiResponse> {
  await context.server.feed.current(context.request.signal)
  await prepareObject(context)
  return objectResponse(scaleOf(context, requireObject(context)))
}

/** PUT of `/scale`. */
export async function updateScale(context: ResourceContext): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'UpdateOptions')
  const wanted = (await decodeObject(context, scaleKind, options.fieldValidation)) as unknown as Scale
  return rescale(context, options, (current) => {
    checkUid(context, wanted, current)
    return wanted
  })
}

/** PATCH of `/scale`: the patch sees the Scale, not the object behind it. */
export async function patchScale(context: ResourceContext): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'PatchOptions')
  if (patchTypeOf(context.request.headers['content-type']) === 'application/apply-patch+yaml') {
    return applyScale(context, options)
  }
  const node = schemaOf(scaleKind)
  const patch: PatchDocument = readPatch(context, node)
  const { custom: _custom, ...resource } = context.resource
  const scaleContext = { ...context, resource: { ...resource, ...scaleKind, node } }
  return rescale(context, options, (current) => {
    const readAs = { fieldValidation: options.fieldValidation, keepsUntouched: false }
    return decodePatched(scaleContext, patch, current, readAs) as unknown as Scale
  })
}

async function rescale(
  context: ResourceContext,
  options: WriteOptions,
  wantedOf: (current: Scale) => Scale,
): Promise<ApiResponse> {
  const changed = await updateObject({
    context,
    options,
    part: mainPart,
    change(current) {
      const wanted = wantedOf(scaleOf(context, current))
      checkName(context, wanted as unknown as Draft<KubernetesObject>)
      const replicas = wanted.spec?.replicas ?? 0
      checkReplicas(context, replicas)
      const draft = deepCopy(current as Scalable)
      const { scale } = context.resource.custom ?? {}
      if (scale === undefined) draft.spec = { ...draft.spec, replicas }
      else setAt(draft, scale.specReplicas, replicas)
      draft.metadata.resourceVersion = wanted.metadata.resourceVersion
      return draft
    },
  })
  return objectResponse(scaleOf(context, changed))
}

async function applyScale(context: ResourceContext, options: WriteOptions): Promise<ApiResponse> {
  requireManager(context)
  const config = await readConfig(context, options)
  checkConfig(context, scaleKind, config)
  const changed = await updateObject({
    context,
    options,
    managers: 'given',
    part: mainPart,
    change: (current) => appliedScale({ context, options, config }, current, scaleOf(context, current)),
  })
  return objectResponse(scaleOf(context, changed))
}

function checkReplicas({ info }: ResourceContext, replicas: number): void {
  if (replicas >= 0) return
  const message = `Invalid value: ${replicas}: must be greater than or equal to 0`
  throw invalid({ ...scaleKind, name: info.name }, [{ type: 'FieldValueInvalid', field: 'spec.replicas', message }])
}

interface Shown {
  readonly wanted: number
  readonly actual: number
  readonly selector: string
}

function shownBy(object: Scalable, scale: ScalePaths | undefined): Shown {
  if (scale === undefined) {
    const { spec, status } = object
    return { wanted: spec?.replicas ?? 0, actual: status?.replicas ?? 0, selector: selectorText(spec?.selector) }
  }
  const wanted = valueAt(object, scale.specReplicas)
  if (typeof wanted !== 'number') {
    const path = `.${scale.specReplicas.join('.')}`
    throw new StatusError(
      'InternalError',
      `Internal error occurred: the spec replicas field ${JSON.stringify(path)} does not exist`,
    )
  }
  const actual = valueAt(object, scale.statusReplicas)
  const selector = scale.selector && valueAt(object, scale.selector)
  return {
    wanted,
    actual: typeof actual === 'number' ? actual : 0,
    selector: typeof selector === 'string' ? selector : '',
  }
}

function setAt(object: object, path: readonly string[], value: unknown): void {
  let holder = object as Record<string, unknown>
  for (const name of path.slice(0, -1)) holder = (holder[name] ??= {}) as Record<string, unknown>
  const last = path.at(-1)
  if (last !== undefined) holder[last] = value
}

function scaleOf({ resource }: ResourceContext, object: KubernetesObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const { wanted, actual, selector } = shownBy(object as Scalable, resource.custom?.scale)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: wanted === 0 ? {} : { replicas: wanted },
    status: { replicas: actual, ...(selector !== '' && { selector }) },
  }
}

/** ReplicationControllers select by a plain map of labels, everybody else by a LabelSelector. */
function selectorText(selector: LabelSelector | Readonly<Record<string, string>> | undefined): string {
  if (selector === undefined) return ''
  const isPlain = Object.values(selector).every((value) => typeof value === 'string')
  const matcher = isPlain
    ? matcherOfLabels(selector as Readonly<Record<string, string>>)
    : matcherOf(selector as LabelSelector)
  return formatLabelSelector(matcher)
}
