/** Which operation is named, and on what. */
export interface OperationSubject {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Empty for the resource itself. */
  readonly subresource: string
  readonly namespaced: boolean
  /** Present for the objects of a definition. */
  readonly custom?: unknown
}

/** The first words of an operation's name, by Kubernetes' verb. */
const verbWords: Readonly<Record<string, string>> = {
  get: 'read',
  update: 'replace',
  deletecollection: 'deleteCollection',
  watchlist: 'watch',
}

/** Where the operation looks: one scope, all namespaces at once, or below a name that goes on. */
export type Reach = 'here' | 'everywhere' | 'with-path'

/** `listCoreV1NamespacedPod`, `watchCoreV1PodListForAllNamespaces`, `connectGetCoreV1NodeProxyWithPath`. */
export function operationId(verb: string, subject: OperationSubject, reach: Reach = 'here'): string {
  const { group, version, kind, subresource, namespaced } = subject
  const scope = namespaced && reach !== 'everywhere' ? 'Namespaced' : ''
  const list = verb === 'watchlist' ? 'List' : ''
  const end = { here: '', everywhere: namespaced ? 'ForAllNamespaces' : '', 'with-path': 'WithPath' }[reach]
  const head = `${verbWords[verb] ?? verb}${capital(groupWord(group))}${capital(version)}`
  return `${head}${scope}${kind}${capital(subresource)}${list}${end}`
}

/** `core`, `apps`, `rbacAuthorization`, `helmCattleIo`. */
export function groupWord(group: string): string {
  const words = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split(/[^A-Za-z0-9]+/)
  return words.map((word, index) => (index === 0 ? word : capital(word))).join('')
}

const oldWatch = "deprecated: use the 'watch' parameter with a list operation instead"

/** What an operation does, in a sentence without capitals. */
export function operationText(verb: string, { kind, subresource }: OperationSubject): string {
  const target = subresource === '' ? '' : `${subresource} of `
  switch (verb) {
    case 'list':
      return `list or watch objects of kind ${kind}`
    case 'create':
      return `create ${subresource === '' ? `${article(kind)}${kind}` : `${target}${article(kind)}${kind}`}`
    case 'delete':
      return `delete ${article(kind)}${kind}`
    case 'deletecollection':
      return `delete collection of ${kind}`
    case 'patch':
      return `partially update ${target}the specified ${kind}`
    case 'watch':
      return `watch changes to an object of kind ${kind}. ${oldWatch}, filtered to a single item with the 'fieldSelector' parameter.`
    case 'watchlist':
      return `watch individual changes to a list of ${kind}. ${oldWatch}.`
    default:
      return `${verb === 'get' ? 'read' : 'replace'} ${target}the specified ${kind}`
  }
}

/** Plural kinds have no article. */
function article(kind: string): string {
  if (kind === 'Endpoints') return ''
  return /^[AEIOU]/.test(kind) ? 'an ' : 'a '
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
