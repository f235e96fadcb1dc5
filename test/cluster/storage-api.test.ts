/**
 * Goal: what conformance promises of the storage kinds as objects of the API. Method: a control plane without a node,
 * over HTTPS; every kind goes through the verbs, and deletions are waited for by watch.
 */
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import type { TestContext } from 'node:test'
import type { KubernetesObject, New, Resource } from '#api/meta/resource.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import type { CSIDriver } from '#api/types/storage.v1.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  serviceAccounts,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
} from '#api/types/resources.ts'
import type { Client, ResourceClient } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport, type HttpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { startServer, type Server } from './harness/cluster.ts'
import { podOf, TestSpace } from './harness/test-space.ts'

let running: { server: Server; client: Client; transport: HttpsTransport } | undefined
let names = 0

before(async () => {
  const server = await startServer()
  const transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock })
  running = { server, transport, client: createClient(transport) }
})
after(async () => {
  running?.transport.close()
  await running?.server[Symbol.asyncDispose]()
})

function started(): NonNullable<typeof running> {
  if (running === undefined) throw new Error('the server of this file is not started')
  return running
}

/** A namespace of the test's own. */
async function space(t: TestContext): Promise<TestSpace> {
  const { client, server } = started()
  const namespace = freshName()
  await client.resource(namespaces).create({ metadata: { name: namespace }, spec: {} })
  t.after(() => client.resource(namespaces).delete(namespace))
  const made = new TestSpace({ client, kubectl: server.kubectl, namespace })
  await made.waitFor(serviceAccounts, 'default', () => true)
  return made
}

const freshName = (): string => `test-${++names}`

/** One kind of the cluster's, or of a namespace. */
class Kind<T extends KubernetesObject> {
  readonly #resource: Resource<T>
  readonly #namespace: string | undefined

  constructor(resource: Resource<T>, namespace?: string) {
    this.#resource = resource
    this.#namespace = namespace
  }

  get api(): ResourceClient<T> {
    const { client } = started()
    return this.#namespace === undefined
      ? client.resource(this.#resource)
      : client.resource(this.#resource, this.#namespace)
  }

  async labels(name: string): Promise<Readonly<Record<string, string>>> {
    return (await this.api.get(name)).metadata.labels ?? {}
  }

  async patchLabel(name: string, key: string): Promise<void> {
    await this.api.patch(name, { type: 'merge', patch: { metadata: { labels: { [key]: 'patched' } } } })
    assert.equal((await this.labels(name))[key], 'patched')
  }

  async updateLabel(name: string, key: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const object = await this.api.get(name)
      const metadata = { ...object.metadata, labels: { ...object.metadata.labels, [key]: 'updated' } }
      const updated = await this.api.update({ ...object, metadata }).catch((error: unknown) => {
        // Controllers write too; the test is to win in the end.
        if (attempt > 5) throw error
        return undefined
      })
      if (updated !== undefined) break
    }
    assert.equal((await this.labels(name))[key], 'updated')
  }

  async count(labelSelector: string): Promise<number> {
    return (await this.api.list({ labelSelector })).items.length
  }

  /** Resolves when no object with the label is left. */
  async gone(labelSelector: string): Promise<void> {
    const signal = AbortSignal.timeout(30_000)
    const { items, resourceVersion } = await this.api.list({ labelSelector })
    const left = new Set(items.map(({ metadata }) => metadata.name))
    if (left.size === 0) return
    for await (const event of this.api.watch({ labelSelector, resourceVersion, signal })) {
      if (event.type === 'DELETED') left.delete(event.object.metadata.name)
      if (left.size === 0) return
    }
    throw new Error(`${[...left].join()} still there`)
  }
}

/** Create, read, patch, delete, and again: replace, update, delete by label. */
async function lifecycle<T extends KubernetesObject>(
  kind: Kind<T>,
  make: (name: string, labels: Readonly<Record<string, string>>) => New<T>,
): Promise<void> {
  const [first, second] = [freshName(), freshName()]
  const label = `run=${first}`
  await kind.api.create(make(first, { run: first }))
  assert.equal((await kind.api.get(first)).metadata.name, first)
  assert.equal(await kind.count(label), 1)
  await kind.patchLabel(first, 'patch')
  assert.equal(await kind.count(`patch=patched,${label}`), 1)
  await kind.api.delete(first)
  await kind.gone(label)
  await kind.api.create(make(second, { run: first }))
  assert.equal((await kind.api.get(second)).metadata.name, second)
  await kind.updateLabel(second, 'update')
  await kind.api.deleteCollection({ labelSelector: label })
  await kind.gone(label)
  assert.equal(await kind.count(label), 0)
}

describe('storage kinds', { concurrency: 4 }, () => {
  behaviour(
    'storage/storageclass',
    'StorageClasses CSI Conformance should run through the lifecycle of a StorageClass',
    async () => {
      await lifecycle(new Kind(storageClasses), (name, labels) => ({
        metadata: { name, labels },
        provisioner: 'e2e-fake-provisioner',
        reclaimPolicy: 'Delete' as const,
        volumeBindingMode: 'Immediate' as const,
      }))
    },
  )

  behaviour(
    'storage/volumeattributesclass',
    'VolumeAttributesClass should run through the lifecycle of a VolumeAttributesClass',
    async () => {
      await lifecycle(new Kind(volumeAttributesClasses), (name, labels) => ({
        metadata: { name, labels },
        driverName: 'e2e-fake-csi-driver',
        parameters: { iops: '3000' },
      }))
    },
  )

  behaviour('storage/csi_node', 'CSINodes CSI Conformance should run through the lifecycle of a csinode', async () => {
    await lifecycle(new Kind(csiNodes), (name, labels) => ({
      metadata: { name, labels },
      spec: { drivers: [{ name: 'e2e.driver', nodeID: name, topologyKeys: ['zone'], allocatable: { count: 10 } }] },
    }))
  })

  behaviour('storage/csi_inline', 'CSIInlineVolumes should run through the lifecycle of a CSIDriver', async () => {
    const kind = new Kind(csiDrivers)
    const [first, second] = [freshName(), freshName()]
    const make = (name: string): New<CSIDriver> => ({
      metadata: { name, labels: { run: first } },
      spec: { volumeLifecycleModes: ['Ephemeral'] },
    })
    await kind.api.create(make(first))
    await kind.api.create(make(second))
    await kind.patchLabel(second, 'patch')
    await kind.updateLabel(second, 'update')
    assert.equal(await kind.count(`run=${first}`), 2)
    await kind.api.delete(first)
    await kind.gone(`run=${first},update!=updated`)
    await kind.api.deleteCollection({ labelSelector: `run=${first}` })
    await kind.gone(`run=${first}`)
  })

  behaviour('storage/csi_inline', 'CSIInlineVolumes should support CSIVolumeSource in Pod API', async (t) => {
    const own = await space(t)
    const kind = new Kind(pods, own.namespace)
    const csi = { driver: 'e2e.example.com', volumeAttributes: { size: '1Gi' }, readOnly: true }
    const volumes = [{ name: 'v', csi }]
    await kind.api.create(podOf({ labels: { run: 'inline' }, script: 'true', spec: { volumes } }))
    assert.deepEqual((await kind.api.get('pod')).spec.volumes?.[0]?.csi, csi)
    assert.equal(await kind.count('run=inline'), 1)
    await kind.patchLabel('pod', 'patch')
    await kind.api.delete('pod')
    await kind.gone('run=inline')
  })

  behaviour(
    'storage/csistoragecapacity',
    'CSIStorageCapacity should support CSIStorageCapacities API operations',
    async (t) => {
      const { client } = started()
      const paths = ['/apis', '/apis/storage.k8s.io/v1']
      const [groups, resources] = (await Promise.all(paths.map((path) => client.raw({ method: 'GET', path })))) as [
        { groups: { name: string; versions: { version: string }[] }[] },
        { resources: { name: string; verbs: string[] }[] },
      ]
      const group = groups.groups.find(({ name }) => name === 'storage.k8s.io')
      assert.ok(group?.versions.some(({ version }) => version === 'v1'))
      const found = resources.resources.find(({ name }) => name === 'csistoragecapacities')
      assert.deepEqual(
        ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'].filter(
          (verb) => !found?.verbs.includes(verb),
        ),
        [],
      )
      const kind = new Kind(csiStorageCapacities, (await space(t)).namespace)
      const { resourceVersion } = await kind.api.list()
      const watched = kind.api.watch({ resourceVersion, signal: AbortSignal.timeout(30_000) })
      await lifecycle(kind, (name, labels) => ({
        metadata: { name, labels },
        storageClassName: 'e2e',
        capacity: '1Gi',
      }))
      const types: string[] = []
      for await (const { type } of watched) {
        types.push(type)
        if (types.filter((each) => each === 'DELETED').length === 2) break
      }
      assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'MODIFIED', 'DELETED'])
      const everywhere = await client.resource(csiStorageCapacities).list()
      assert.equal(everywhere.items.filter(({ storageClassName }) => storageClassName === 'e2e').length, 0)
    },
  )
})

describe('volume attachments', () => {
  const make = (name: string, labels: Readonly<Record<string, string>>): never =>
    ({
      metadata: { name, labels },
      spec: { attacher: 'e2e.example.com', nodeName: 'no-node', source: { persistentVolumeName: name } },
    }) as never

  behaviour(
    'storage/volume_attachment',
    'VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment',
    async () => {
      const kind = new Kind(volumeAttachments)
      await lifecycle(kind, make)
      const [third, fourth] = [freshName(), freshName()]
      for (const name of [third, fourth]) {
        await kind.api.create(make(name, { run: third }))
        await kind.updateLabel(name, 'update')
      }
      await kind.api.deleteCollection({ labelSelector: `run=${third}` })
      await kind.gone(`run=${third}`)
    },
  )

  behaviour(
    'storage/volume_attachment',
    'VolumeAttachment Conformance should apply changes to a volumeattachment status',
    async () => {
      const kind = new Kind(volumeAttachments)
      const name = freshName()
      await kind.api.create(make(name, { run: name }))
      await kind.patchLabel(name, 'patch')
      assert.equal((await kind.api.get(name)).status?.attached, false)
      const patched = await kind.api.patch(
        name,
        { type: 'merge', patch: { status: { attached: true } } },
        { subresource: 'status' },
      )
      assert.equal(patched.status?.attached, true)
      const updated = await kind.api.updateStatus({ ...patched, status: { attached: false } })
      assert.equal(updated.status?.attached, false)
      await kind.api.delete(name)
      await kind.gone(`run=${name}`)
    },
  )
})

describe('persistent volumes', { concurrency: 2 }, () => {
  const volume = (name: string, run: string): New<PersistentVolume> => ({
    metadata: { name, labels: { run } },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: run,
      hostPath: { path: `/tmp/${name}` },
    },
  })
  const claim = (name: string, run: string): New<PersistentVolumeClaim> => ({
    metadata: { name, labels: { run } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: run },
  })

  /** A volume and a claim that are bound to each other. */
  async function makePair(own: TestSpace, name: string, run: string): Promise<void> {
    await own.client.resource(persistentVolumes).create(volume(name, run))
    await own.of(persistentVolumeClaims).create(claim(name, run))
    await own.waitFor(persistentVolumeClaims, name, ({ status }) => status?.phase === 'Bound')
  }

  behaviour(
    'storage/persistent_volumes',
    'PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC',
    async (t) => {
      const own = await space(t)
      const run = freshName()
      const [first, second] = [freshName(), freshName()]
      const volumes = new Kind(persistentVolumes)
      const claims = new Kind(persistentVolumeClaims, own.namespace)
      await makePair(own, first, run)
      assert.equal((await claims.api.get(first)).spec.volumeName, first)
      assert.equal((await volumes.api.get(first)).spec.claimRef?.name, first)
      for (const kind of [volumes, claims] as const) {
        assert.equal(await kind.count(`run=${run}`), 1)
        await kind.patchLabel(first, 'patch')
      }
      await claims.api.delete(first)
      await claims.gone(`run=${run}`)
      await volumes.api.delete(first)
      await volumes.gone(`run=${run}`)
      await makePair(own, second, run)
      for (const kind of [volumes, claims] as const) await kind.updateLabel(second, 'update')
      await claims.api.deleteCollection({ labelSelector: `run=${run}` })
      await claims.gone(`run=${run}`)
      await volumes.api.deleteCollection({ labelSelector: `run=${run}` })
      await volumes.gone(`run=${run}`)
    },
  )

  behaviour(
    'storage/persistent_volumes',
    'PersistentVolumes CSI Conformance should apply changes to a pv/pvc status',
    async (t) => {
      const own = await space(t)
      const name = freshName()
      const volumes = own.client.resource(persistentVolumes)
      const claims = own.of(persistentVolumeClaims)
      await makePair(own, name, name)
      const condition = { type: 'StatusPatched', status: 'True', reason: 'E2E', message: 'patched' }
      const patchedClaim = await claims.patch(
        name,
        { type: 'strategic', patch: { status: { conditions: [condition] } } },
        { subresource: 'status' },
      )
      assert.equal(patchedClaim.status?.conditions?.[0]?.type, 'StatusPatched')
      const updatedClaim = await claims.updateStatus({
        ...patchedClaim,
        status: { ...patchedClaim.status, conditions: [{ ...condition, type: 'StatusUpdated', status: 'True' }] },
      })
      assert.deepEqual(
        updatedClaim.status?.conditions?.map(({ type }) => type),
        ['StatusUpdated'],
      )
      const patched = await volumes.patch(
        name,
        { type: 'merge', patch: { status: { message: 'StatusPatched', reason: 'E2E patch' } } },
        { subresource: 'status' },
      )
      assert.equal(patched.status?.reason, 'E2E patch')
      const status = { ...patched.status, message: 'StatusUpdated', reason: 'E2E update' }
      const updated = await volumes.updateStatus({ ...patched, status })
      assert.equal(updated.status?.message, 'StatusUpdated')
      await claims.delete(name)
      await own.waitGone(persistentVolumeClaims, name)
      await volumes.delete(name)
    },
  )
})
