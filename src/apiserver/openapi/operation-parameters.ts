/** One parameter of an operation or of all operations of a path. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description?: string
}

function query(type: Parameter['type'], ...names: readonly string[]): readonly Parameter[] {
  return names.map((name) => ({ name, in: 'query', type }))
}

const writing = query('string', 'dryRun', 'fieldManager', 'fieldValidation')
const selecting = [
  ...query('string', 'continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'),
  ...query('string', 'shardSelector'),
  ...query('integer', 'limit', 'timeoutSeconds'),
  ...query('boolean', 'sendInitialEvents'),
]
const deleting = [
  ...query('string', 'dryRun', 'propagationPolicy'),
  ...query('integer', 'gracePeriodSeconds'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
]
const listing = [...selecting, ...query('boolean', 'allowWatchBookmarks', 'watch')]
const streams = [...query('boolean', 'stderr', 'stdin', 'stdout', 'tty'), ...query('string', 'container')]

const byVerb: Readonly<Record<string, readonly Parameter[]>> = {
  list: listing,
  watch: listing,
  watchlist: listing,
  create: writing,
  update: writing,
  patch: [...writing, ...query('boolean', 'force')],
  delete: deleting,
  deletecollection: [...selecting, ...deleting.filter(({ name }) => name !== 'watch')],
}

/** The query parameters of a verb, but for `pretty`. */
export function verbParameters(verb: string): readonly Parameter[] {
  return byVerb[verb] ?? []
}

const logs = [
  ...query('boolean', 'follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps'),
  ...query('integer', 'limitBytes', 'sinceSeconds', 'tailLines'),
  ...query('string', 'container', 'stream'),
]

const bySubresource: Readonly<Record<string, readonly Parameter[]>> = {
  log: logs,
  attach: streams,
  exec: [...streams, ...query('string', 'command')],
  portforward: query('integer', 'ports'),
  proxy: query('string', 'path'),
}

/** The query parameters that every operation on a subresource has. */
export function subresourceParameters(subresource: string): readonly Parameter[] {
  return bySubresource[subresource] ?? []
}

export const pretty: Parameter = {
  name: 'pretty',
  in: 'query',
  type: 'string',
  description:
    "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
}

export const inNamespace: Parameter = {
  name: 'namespace',
  in: 'path',
  type: 'string',
  description: 'object name and auth scope, such as for teams and projects',
}

/** The name in a path. `kind` is that of the object that the path names. */
export function named(kind: string): Parameter {
  return { name: 'name', in: 'path', type: 'string', description: `name of the ${kind}` }
}

export const pathBelow: Parameter = { name: 'path', in: 'path', type: 'string', description: 'path to the resource' }
