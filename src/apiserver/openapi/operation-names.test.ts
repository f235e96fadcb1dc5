import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtInCatalog } from '#api/schema/catalog.ts'
import { noDescriptions } from './descriptions.ts'
import { openApiV3, openApiV3Root } from './documents.ts'
import { operationText } from './operation-names.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string }[]
  readonly 'x-kubernetes-action'?: string
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

function pathsOf(group: string, version: string): Paths {
  const document = openApiV3(builtInCatalog().inVersion(group, version), [], noDescriptions)
  return (document as { readonly paths: Paths }).paths
}

const named = [
  ['', 'get /api/v1/', 'getCoreV1APIResources'],
  ['', 'get /api/v1/namespaces/{namespace}/pods', 'listCoreV1NamespacedPod'],
  ['', 'delete /api/v1/namespaces/{namespace}/pods', 'deleteCollectionCoreV1NamespacedPod'],
  ['', 'get /api/v1/pods', 'listCoreV1PodForAllNamespaces'],
  ['', 'get /api/v1/watch/pods', 'watchCoreV1PodListForAllNamespaces'],
  ['', 'get /api/v1/watch/namespaces/{namespace}/pods/{name}', 'watchCoreV1NamespacedPod'],
  ['', 'post /api/v1/namespaces/{namespace}/pods/{name}/eviction', 'createCoreV1NamespacedPodEviction'],
  ['', 'head /api/v1/nodes/{name}/proxy/{path}', 'connectHeadCoreV1NodeProxyWithPath'],
  ['', 'put /api/v1/namespaces/{name}/finalize', 'replaceCoreV1NamespaceFinalize'],
  ['apps', 'get /apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale', 'readAppsV1NamespacedDeploymentScale'],
  [
    'rbac.authorization.k8s.io',
    'post /apis/rbac.authorization.k8s.io/v1/clusterroles',
    'createRbacAuthorizationV1ClusterRole',
  ],
] as const

test('operations have the names that clients are made from', () => {
  for (const [group, place, expected] of named) {
    const [method = '', path = ''] = place.split(' ')
    assert.equal(pathsOf(group, 'v1')[path]?.[method]?.operationId, expected)
  }
})

test('what all operations of a path take is said once', () => {
  const item = pathsOf('', 'v1')['/api/v1/namespaces/{namespace}/configmaps/{name}']
  const names = (list: unknown): string[] => (list as { name: string }[]).map(({ name }) => name)
  assert.deepEqual(names(item?.['parameters']), ['name', 'namespace', 'pretty'])
  assert.deepEqual(names(item?.['patch']?.parameters), ['dryRun', 'fieldManager', 'fieldValidation', 'force'])
  assert.equal(item?.['get']?.parameters, undefined)
})

test('documents of discovery have one path', () => {
  const rows = [
    ['api', '/api/'],
    ['apis/apps', '/apis/apps/'],
    ['version', '/version/'],
  ] as const
  for (const [name, path] of rows) {
    const document = openApiV3Root(name, (group) => group === 'apps', noDescriptions) as { paths: Paths }
    assert.deepEqual(Object.keys(document.paths), [path])
  }
  assert.equal(
    openApiV3Root('apis/other', () => false, noDescriptions),
    undefined,
  )
})

test('operations say what they do', () => {
  const subject = { group: '', version: 'v1', kind: 'Pod', subresource: '', namespaced: true }
  const rows = [
    ['create', subject, 'create a Pod'],
    ['create', { ...subject, subresource: 'eviction' }, 'create eviction of a Pod'],
    ['get', { ...subject, subresource: 'status' }, 'read status of the specified Pod'],
    ['delete', { ...subject, kind: 'Endpoints' }, 'delete Endpoints'],
    ['delete', { ...subject, kind: 'Ingress' }, 'delete an Ingress'],
  ] as const
  for (const [verb, of, text] of rows) assert.equal(operationText(verb, of), text)
})
