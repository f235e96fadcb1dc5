import type { Subresource, ServedResource as CatalogResource } from '#api/schema/catalog.ts'
import { groupWord, operationId, operationText, type OperationSubject, type Reach } from './operation-names.ts'
import {
  inNamespace,
  named,
  pathBelow,
  pretty,
  subresourceParameters,
  verbParameters,
  type Parameter,
} from './operation-parameters.ts'

type Json = Record<string, unknown>

/** What an operation takes and answers. */
export interface Exchange {
  readonly verb: string
  /** Name of the type of the body; absent without one. */
  readonly takes?: string
  /** Name of the type of the answer; absent for text. */
  readonly answers?: string
  /** The codes of success. */
  readonly codes: readonly number[]
  /** Whether the objects are those of a definition. */
  readonly isCustom?: boolean
}

/** How the two versions of OpenAPI write bodies, answers and parameters. */
export interface OperationStyle {
  readonly operation: (parameters: readonly Parameter[], exchange: Exchange) => Json
  readonly parameter: (parameter: Parameter) => Json
}

/** What paths are made from: built-in resources and custom ones have it. */
type PathResource = Pick<
  CatalogResource,
  'group' | 'version' | 'plural' | 'kind' | 'namespaced' | 'verbs' | 'subresources'
>

interface PathOwner {
  readonly resource: PathResource
  readonly style: OperationStyle
  /** Name of the type of a kind, such as `io.k8s.api.apps.v1.Deployment`. */
  readonly typeOf: (group: string, version: string, kind: string) => string
}

/** One operation before it is written. */
interface Operation {
  readonly method: string
  readonly verb: string
  readonly id: string
  readonly text: string
  readonly parameters: readonly Parameter[]
  readonly exchange: Exchange
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
}

/** Every path of one resource with its operations, those of `watch/` and of its subresources too. */
export function pathObjects(owner: PathOwner): Json {
  const { resource } = owner
  const { namespaced, plural, kind, verbs } = resource
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const scope = namespaced ? '/namespaces/{namespace}' : ''
  const own = namespaced ? [inNamespace] : []
  const collection = `${root}${scope}/${plural}`
  const watched = `${root}/watch${scope}/${plural}`
  const isNamed = ['get', 'update', 'patch', 'delete'].some((verb) => verbs.has(verb))
  const paths: Json = { [collection]: pathItem(owner, on(owner, collectionVerbs), [...own, pretty]) }
  if (isNamed) paths[`${collection}/{name}`] = pathItem(owner, on(owner, namedVerbs), [named(kind), ...own, pretty])
  for (const subresource of resource.subresources.values()) addSubresource(owner, subresource, collection, paths)
  if (namespaced && verbs.has('list')) {
    paths[`${root}/${plural}`] = pathItem(owner, on(owner, [['list', 'get']], 'everywhere'), [pretty])
  }
  if (!verbs.has('watch')) return paths
  const watchList = [['watchlist', 'get']] as const
  paths[watched] = pathItem(owner, on(owner, watchList), [...own, pretty])
  paths[`${watched}/{name}`] = pathItem(owner, on(owner, [['watch', 'get']]), [named(kind), ...own, pretty])
  if (namespaced) {
    paths[`${root}/watch/${plural}`] = pathItem(owner, on(owner, watchList, 'everywhere'), [pretty])
  }
  return paths
}

type VerbRow = readonly [verb: string, method: string]

const collectionVerbs: readonly VerbRow[] = [
  ['list', 'get'],
  ['create', 'post'],
  ['deletecollection', 'delete'],
]
const namedVerbs: readonly VerbRow[] = [
  ['get', 'get'],
  ['update', 'put'],
  ['patch', 'patch'],
  ['delete', 'delete'],
]

function on({ resource, typeOf }: PathOwner, rows: readonly VerbRow[], reach: Reach = 'here'): Operation[] {
  const subject = { ...resource, subresource: '' }
  const served = rows.filter(([verb]) => resource.verbs.has(verb === 'watchlist' ? 'watch' : verb))
  return served.map(([verb, method]) => operation({ verb, method, subject, typeOf, kind: resource, reach }))
}

function addSubresource(owner: PathOwner, subresource: Subresource, collection: string, paths: Json): void {
  const { resource, typeOf } = owner
  const { name, kind } = subresource
  const path = `${collection}/{name}/${name}`
  const scope = resource.namespaced ? [inNamespace] : []
  const subject = { ...resource, subresource: name }
  if (kind.endsWith('Options')) {
    const shared = [named(kind), ...scope, ...subresourceParameters(name)]
    paths[path] = pathItem(owner, connections(subject, subresource), shared)
    if (name !== 'proxy') return
    paths[`${path}/{path}`] = pathItem(owner, connections(subject, subresource, 'with-path'), [...shared, pathBelow])
    return
  }
  const rows = [...namedVerbs, ['create', 'post'] as const].filter(([verb]) => subresource.verbs.has(verb))
  const operations = rows.map(([verb, method]) =>
    operation({ verb, method, subject, typeOf, kind: subresource, reach: 'here' }),
  )
  const shared = [named(kind), ...scope, pretty, ...subresourceParameters(name)]
  paths[path] = pathItem(owner, operations, shared)
}

const proxyMethods = ['get', 'post', 'put', 'delete', 'options', 'head', 'patch']

function connections(subject: OperationSubject, kind: Subresource, reach: Reach = 'here'): Operation[] {
  const { subresource } = subject
  const methods = subresource === 'proxy' ? proxyMethods : ['get', 'post']
  return methods.map((method) => {
    const upper = method.toUpperCase()
    const id = operationId(`connect${upper.slice(0, 1)}${method.slice(1)}`, subject, reach)
    const text = `connect ${upper} requests to ${subresource} of ${subject.kind}`
    return { method, verb: 'connect', id, text, parameters: [], exchange: { verb: 'connect', codes: [200] }, kind }
  })
}

interface OperationRequest {
  readonly verb: string
  readonly method: string
  readonly subject: OperationSubject
  readonly kind: Operation['kind']
  readonly reach: Reach
  readonly typeOf: PathOwner['typeOf']
}

function operation({ verb, method, subject, kind, reach, typeOf }: OperationRequest): Operation {
  const id = operationId(verb, subject, reach)
  const parameters = verbParameters(verb)
  const isCustom = subject.custom !== undefined
  const exchange = { ...exchangeOf(verb, subject, typeOf, kind), ...(isCustom && { isCustom }) }
  return { method, verb, id, text: operationText(verb, subject), parameters, exchange, kind }
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'

function exchangeOf(
  verb: string,
  subject: OperationSubject,
  typeOf: PathOwner['typeOf'],
  { group, version, kind }: Operation['kind'],
): Exchange {
  const type = typeOf(group, version, kind)
  switch (verb) {
    case 'list':
      return { verb, answers: typeOf(group, version, `${kind}List`), codes: [200] }
    case 'watch':
    case 'watchlist':
      return { verb, answers: `${meta}.WatchEvent`, codes: [200] }
    case 'create':
      return { verb, takes: type, answers: type, codes: [200, 201, 202] }
    case 'update':
      return { verb, takes: type, answers: type, codes: [200, 201] }
    case 'patch':
      return { verb, takes: `${meta}.Patch`, answers: type, codes: [200, 201] }
    case 'deletecollection':
      return { verb, takes: `${meta}.DeleteOptions`, answers: `${meta}.Status`, codes: [200] }
    case 'delete': {
      const answers = answeredWhenDeleted.has(`${group}/${kind}`) ? type : `${meta}.Status`
      return { verb, takes: `${meta}.DeleteOptions`, answers, codes: [200, 202] }
    }
    default:
      return subject.subresource === 'log' ? { verb, codes: [200] } : { verb, answers: type, codes: [200] }
  }
}

/** Kinds whose deletion answers the object that is gone. */
const answeredWhenDeleted: ReadonlySet<string> = new Set([
  ...[
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Pod',
    'PodTemplate',
    'ResourceQuota',
    'Service',
    'ServiceAccount',
  ].map((kind) => `/${kind}`),
  ...['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment', 'VolumeAttributesClass'].map(
    (kind) => `storage.k8s.io/${kind}`,
  ),
  ...['DeviceClass', 'ResourceClaim', 'ResourceClaimTemplate', 'ResourceSlice'].map(
    (kind) => `resource.k8s.io/${kind}`,
  ),
])

const actions: Readonly<Record<string, string>> = { update: 'put', create: 'post' }

/** A path: what all its operations take is said once. */
function pathItem(
  { resource, style }: PathOwner,
  operations: readonly Operation[],
  shared: readonly Parameter[],
): Json {
  const [first] = operations
  const isCommon = ({ name }: Parameter): boolean =>
    operations.every(({ parameters }) => parameters.some((parameter) => parameter.name === name))
  const common = (first?.parameters ?? []).filter(isCommon)
  const item: Json = {}
  for (const each of operations) {
    const { group, version, kind } = each.kind
    const parameters = each.parameters.filter((parameter) => !isCommon(parameter))
    item[each.method] = {
      description: each.text,
      operationId: each.id,
      tags: [`${groupWord(resource.group)}_${resource.version}`],
      ...style.operation(byName(parameters), each.exchange),
      'x-kubernetes-action': actions[each.verb] ?? each.verb,
      'x-kubernetes-group-version-kind': { group, kind, version },
    }
  }
  const everywhere = byName([...shared, ...common]).map(style.parameter)
  return { ...item, ...(everywhere.length > 0 && operations.length > 0 && { parameters: everywhere }) }
}

function byName(parameters: readonly Parameter[]): readonly Parameter[] {
  return [...parameters].sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
}
