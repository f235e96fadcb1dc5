/**
 * Goal: a client that shares no line with us finds what it expects. Method: `@kubernetes/client-node` against
 * `./coracle server`; its serializer, informer and patch code are the judges.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  VersionApi,
  makeInformer,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
} from '@kubernetes/client-node'
import { startServer, type Server } from './harness/cluster.ts'

const config = new KubeConfig()
let server: Server
let core: CoreV1Api
let apps: AppsV1Api

before(async () => {
  server = await startServer()
  config.loadFromFile(server.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
  apps = config.makeApiClient(AppsV1Api)
})

after(() => server[Symbol.asyncDispose]())

const namespace = 'default'
const configMap = (name: string, data: Record<string, string>): V1ConfigMap => ({ metadata: { name }, data })

/** The client's objects are instances of classes: a change is a copy of their fields. */
function changed<T extends object>(object: T, change: Partial<T>): T {
  return Object.assign({}, object, change)
}

test('the version names Kubernetes 1.36', async () => {
  const version = await config.makeApiClient(VersionApi).getCode()
  assert.deepEqual([version.major, version.minor], ['1', '36'])
})

test('objects are created, read, replaced, listed by label and deleted', async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: configMap('life', { a: '1' }) })
  assert.ok(made.metadata?.creationTimestamp instanceof Date)
  const replaced = await core.replaceNamespacedConfigMap({
    name: 'life',
    namespace,
    body: changed(made, { metadata: changed(made.metadata ?? {}, { labels: { kind: 'life' } }), data: { a: '2' } }),
  })
  assert.notEqual(replaced.metadata?.resourceVersion, made.metadata?.resourceVersion)
  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'kind in (life)' })
  assert.deepEqual(
    items.map(({ metadata, data }) => [metadata?.name, data]),
    [['life', { a: '2' }]],
  )
  await core.deleteNamespacedConfigMap({ name: 'life', namespace })
  await assert.rejects(core.readNamespacedConfigMap({ name: 'life', namespace }), { code: 404 })
})

test('a stale write is a conflict', async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: configMap('stale', {}) })
  await core.replaceNamespacedConfigMap({ name: 'stale', namespace, body: changed(made, { data: { x: 'first' } }) })
  const second = core.replaceNamespacedConfigMap({
    name: 'stale',
    namespace,
    body: changed(made, { data: { x: 'second' } }),
  })
  await assert.rejects(second, (error) => error instanceof ApiException && error.code === 409)
})

test('a wrong object is refused with its causes', async () => {
  const body = { metadata: { name: 'Bad_Name' }, spec: { selector: {}, template: { spec: { containers: [] } } } }
  await assert.rejects(apps.createNamespacedDeployment({ namespace, body }), (error) => {
    const status = JSON.parse((error as ApiException<string>).body) as V1Status
    assert.match(status.message ?? '', /^Deployment\.apps "Bad_Name" is invalid: /)
    return status.details?.causes?.some(({ field }) => field === 'metadata.name') === true
  })
})

test('every kind of patch and server-side apply work', async () => {
  await core.createNamespacedConfigMap({ namespace, body: configMap('patched', { a: '1' }) })
  const target = { name: 'patched', namespace }
  const patch = (strategy: string, body: object): Promise<V1ConfigMap> =>
    core.patchNamespacedConfigMap({ ...target, body }, setHeaderOptions('Content-Type', strategy))
  await patch(PatchStrategy.JsonPatch, [{ op: 'add', path: '/data/b', value: '2' }])
  await patch(PatchStrategy.MergePatch, { data: { a: null } })
  await patch(PatchStrategy.StrategicMergePatch, { data: { c: '3' } })
  const objects = KubernetesObjectApi.makeApiClient(config)
  const applied = (await objects.patch(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: target, data: { d: '4' } } as V1ConfigMap,
    undefined,
    undefined,
    'independent',
    undefined,
    PatchStrategy.ServerSideApply,
  )) as V1ConfigMap
  assert.deepEqual(applied.data, { b: '2', c: '3', d: '4' })
  assert.ok(
    applied.metadata?.managedFields?.some(
      ({ manager, operation }) => manager === 'independent' && operation === 'Apply',
    ),
  )
})

test('an informer sees what is there, what comes, what changes and what goes', async () => {
  await core.createNamespacedConfigMap({ namespace, body: configMap('seen-before', {}) })
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  )
  const seen: string[] = []
  const { promise: done, resolve } = Promise.withResolvers<void>()
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, ({ metadata }: V1ConfigMap) => {
      if (!metadata?.name?.startsWith('seen-')) return
      seen.push(`${verb} ${metadata.name}`)
      if (verb === 'delete') resolve()
    })
  }
  await informer.start()
  const made = await core.createNamespacedConfigMap({ namespace, body: configMap('seen-live', {}) })
  await core.replaceNamespacedConfigMap({ name: 'seen-live', namespace, body: changed(made, { data: { x: '1' } }) })
  await core.deleteNamespacedConfigMap({ name: 'seen-live', namespace })
  await done
  await informer.stop()
  assert.deepEqual(seen, ['add seen-before', 'add seen-live', 'update seen-live', 'delete seen-live'])
})

test('a deployment gets its replica set and pods', async () => {
  const labels = { app: 'web' }
  const spec = { containers: [{ name: 'c', image: 'example.test/web:1' }] }
  const body = {
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
  await apps.createNamespacedDeployment({ namespace, body })
  const informer = makeInformer(
    config,
    `/api/v1/namespaces/${namespace}/pods`,
    () => core.listNamespacedPod({ namespace, labelSelector: 'app=web' }),
    'app=web',
  )
  const names = new Set<string>()
  const { promise: both, resolve } = Promise.withResolvers<void>()
  informer.on('add', ({ metadata }) => {
    names.add(metadata?.name ?? '')
    if (names.size === 2) resolve()
  })
  await informer.start()
  await both
  await informer.stop()
  const [first] = (await apps.listNamespacedReplicaSet({ namespace })).items
  assert.equal(first?.metadata?.ownerReferences?.[0]?.name, 'web')
})
