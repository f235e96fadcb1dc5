/**
 * Goal: volumes of CSI drivers, from the driver's registration to the last unmount. Method: one cluster and a driver of
 * our own over real sockets, with a player of the sidecars; the driver's journal, the mounts and the API tell.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Pod, Volume } from '#api/types/core.v1.ts'
import {
  csiDrivers,
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  storageClasses,
  volumeAttachments,
} from '#api/types/resources.ts'
import { CsiTestDriver } from '../csi-driver/csi-driver.ts'
import { GrpcError } from '../csi-driver/grpc-service.ts'
import { Sidecars } from '../csi-driver/sidecars.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const name = 'csi.coracle.test'
let driver: CsiTestDriver
let sidecars: Sidecars

const claimVolume: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } }

async function makeClaim(space: TestSpace, spec: object = {}): Promise<void> {
  await space.of(persistentVolumeClaims).create({
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'test',
      ...spec,
    },
  })
}

function withVolume(script: string, volume: Volume = claimVolume, more: Partial<TestPod> = {}): TestPod {
  const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }], ...more.container }
  // With no time to end, the object would be gone before its volumes are.
  const spec = { terminationGracePeriodSeconds: 1, volumes: [volume], ...more.spec }
  return { script, ...more, container, spec }
}

const idle = 'touch /tmp/up; sleep 3600'

/** The driver's requests of one kind for one volume. */
function requests(call: string, handle: string): readonly Readonly<Record<string, unknown>>[] {
  return driver.callsOf(call).flatMap(({ request }) => (request['volumeId'] === handle ? [request] : []))
}

async function handleOf(space: TestSpace): Promise<string> {
  const claim = await space.waitFor(persistentVolumeClaims, 'data', ({ status }) => status?.phase === 'Bound')
  const volume = await space.client.resource(persistentVolumes).get(claim.spec.volumeName ?? '')
  return volume.spec.csi?.volumeHandle ?? ''
}

const mountsOf = (text: string): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(text))

async function deletePod(space: TestSpace, pod = 'pod'): Promise<void> {
  await space.of(pods).delete(pod)
  await space.waitGone(pods, pod)
}

describe('CSI volumes', { skip }, () => {
  before(async () => {
    const { client, cluster } = shared
    await client.resource(csiDrivers).create({
      metadata: { name },
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        fsGroupPolicy: 'File',
        tokenRequests: [{ audience: 'storage', expirationSeconds: 3600 }],
      },
    })
    await client.resource(storageClasses).create({
      metadata: { name: 'test' },
      provisioner: name,
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    })
    const folder = await mkdtemp('/var/tmp/coracle-csi-')
    const topology = { 'topology.coracle.test/rack': 'r1' }
    driver = await CsiTestDriver.start({
      ...{ name, folder, topology, kubeletDir: cluster.layout.kubeletDir, nodeId: 'n-1', maximumVolumes: 7 },
    })
    sidecars = new Sidecars({ client, driver: name, topology, attachmentMetadata: { device: 'by-attacher' } })
  })

  after(async () => {
    await sidecars?.[Symbol.asyncDispose]()
    await driver?.[Symbol.asyncDispose]()
  })

  test('a driver that registers is told so, and shows in the CSINode and on the node', async () => {
    const told = await eventually(() => driver.callsOf('NotifyRegistrationStatus')[0], { what: 'the driver is told' })
    assert.deepEqual([told.request['error'], told.request['pluginRegistered']], ['', true])
    const { client } = shared
    const { metadata, spec } = await client.resource(csiNodes).get('node-1')
    const [entry] = spec.drivers
    assert.deepEqual(entry, {
      name,
      nodeID: 'n-1',
      topologyKeys: ['topology.coracle.test/rack'],
      allocatable: { count: 7 },
    })
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'Node')
    const node = await client.resource(nodes).get('node-1')
    assert.equal(node.metadata.labels?.['topology.coracle.test/rack'], 'r1')
    assert.equal(node.metadata.annotations?.['csi.volume.kubernetes.io/nodeid'], JSON.stringify({ [name]: 'n-1' }))
  })

  test('a claim is provisioned, attached, staged and published, and all of it is undone', async (t) => {
    const space = await shared.space(t)
    await makeClaim(space)
    await space.start(
      withVolume(`echo kept > /v/file; ${idle}`, claimVolume, { spec: { securityContext: { fsGroup: 777 } } }),
    )
    const handle = await handleOf(space)
    assert.equal(await readFile(join(driver.contentOf(handle), 'file'), 'utf8'), 'kept\n')
    const [stage] = requests('NodeStageVolume', handle)
    const [publish] = requests('NodePublishVolume', handle)
    assert.deepEqual(stage?.['publishContext'], { device: 'by-attacher' })
    assert.match(
      String(stage?.['stagingTargetPath']),
      /plugins\/kubernetes\.io\/csi\/csi\.coracle\.test\/[0-9a-f]{64}\/globalmount$/,
    )
    assert.match(
      String(publish?.['targetPath']),
      /pods\/[-0-9a-f]+\/volumes\/kubernetes\.io~csi\/pvc-[-0-9a-f]+\/mount$/,
    )
    const context = publish?.['volumeContext'] as Record<string, string>
    assert.equal(context['made'], 'by-test')
    assert.equal(context['csi.storage.k8s.io/pod.name'], 'pod')
    assert.equal(context['csi.storage.k8s.io/ephemeral'], 'false')
    const tokens = JSON.parse(context['csi.storage.k8s.io/serviceAccount.tokens'] ?? '{}') as Record<
      string,
      { token: string }
    >
    assert.match(tokens['storage']?.token ?? '', /^eyJ/)
    assert.equal((await space.exec('pod', 'main', 'stat', '-c', '%g %a', '/v')).trim(), '777 2775')
    await space.waitForEvent('pod', 'SuccessfulAttachVolume', /^AttachVolume.Attach succeeded for volume "pvc-/)
    const node = await space.client.resource(nodes).get('node-1')
    const unique = `kubernetes.io/csi/${name}^${handle}`
    assert.deepEqual(
      [node.status?.volumesAttached?.map((each) => each.name), node.status?.volumesInUse],
      [[unique], [unique]],
    )

    await deletePod(space)
    assert.equal(requests('NodeUnpublishVolume', handle).length, 1)
    assert.equal(requests('NodeUnstageVolume', handle).length, 1)
    assert.deepEqual(mountsOf(handle), [])
    const isFree = ({
      status,
    }: {
      status?: { volumesAttached?: unknown; volumesInUse?: readonly string[] | undefined } | undefined
    }): boolean => status?.volumesAttached === undefined && (status?.volumesInUse ?? []).length === 0
    await space.waitFor(nodes, 'node-1', isFree as never)
    await eventually(
      async () => ((await space.client.resource(volumeAttachments).list()).items.length === 0 ? true : undefined),
      { what: 'the attachment is gone' },
    )
    assert.equal(await space.output(withVolume('cat /v/file')), 'kept\n')
    await deletePod(space)
    await space.of(persistentVolumeClaims).delete('data')
    await space.waitGone(persistentVolumeClaims, 'data')
  })

  describe('side by side', { concurrency: 4 }, () => {
    test('two pods of a node share what is staged; the last one to leave unstages it', async (t) => {
      const space = await shared.space(t)
      await makeClaim(space)
      await Promise.all(['one', 'two'].map((pod) => space.start({ ...withVolume(idle), name: pod })))
      const handle = await handleOf(space)
      await deletePod(space, 'one')
      assert.equal(requests('NodeStageVolume', handle).length, 1)
      assert.equal(requests('NodeUnpublishVolume', handle).length, 1)
      assert.equal(requests('NodeUnstageVolume', handle).length, 0)
      await deletePod(space, 'two')
      assert.equal(requests('NodeUnstageVolume', handle).length, 1)
    })

    test('an inline volume is made for its pod and goes with it', async (t) => {
      const space = await shared.space(t)
      await space
        .of(secrets)
        .create({ metadata: { name: 'key' }, data: { user: Buffer.from('me').toString('base64') } })
      const csi = { driver: name, volumeAttributes: { size: 'small' }, nodePublishSecretRef: { name: 'key' } }
      const pod = await space.start(withVolume(`echo here > /v/f; ${idle}`, { name: 'v', csi }))
      const [call] = driver
        .callsOf('NodePublishVolume')
        .filter(({ request }) => String(request['targetPath']).includes(pod.metadata.uid))
      const { volumeContext, secrets: given, volumeId } = call?.request ?? {}
      assert.equal((volumeContext as Record<string, string>)['csi.storage.k8s.io/ephemeral'], 'true')
      assert.deepEqual(given, { user: 'me' })
      assert.equal(requests('NodeStageVolume', String(volumeId)).length, 0)
      await deletePod(space)
      assert.deepEqual(mountsOf(String(volumeId)), [])
    })

    test('a volume that a pod asks for in itself is made for it and deleted with it', async (t) => {
      const space = await shared.space(t)
      const claimSpec = {
        accessModes: ['ReadWriteOnce' as const],
        storageClassName: 'test',
        resources: { requests: { storage: '1Mi' } },
      }
      const volume = { name: 'v', ephemeral: { volumeClaimTemplate: { spec: claimSpec } } }
      await space.start(withVolume(`echo mine > /v/f; ${idle}`, volume))
      const { spec } = await space.of(persistentVolumeClaims).get('pod-v')
      await deletePod(space)
      await space.waitGone(persistentVolumeClaims, 'pod-v')
      await space.waitGone(persistentVolumes, spec.volumeName ?? '')
    })

    test('a block volume is a device in the container', async (t) => {
      const space = await shared.space(t)
      await makeClaim(space, { volumeMode: 'Block' })
      const container = { volumeMounts: [], volumeDevices: [{ name: 'v', devicePath: '/dev/xvda' }] }
      const script = `echo raw > /dev/xvda; sync; head -c 3 /dev/xvda; [ -b /dev/xvda ] && echo " is a device"`
      assert.equal(await space.output(withVolume(script, claimVolume, { container })), 'raw is a device\n')
      const handle = await handleOf(space)
      assert.equal((await readFile(`${driver.contentOf(handle)}.img`)).subarray(0, 3).toString(), 'raw')
      await deletePod(space)
      await eventually(() => mountsOf('volumeDevices/publish').length === 0 || undefined, { what: 'it is unmounted' })
    })

    test('a volume grows under its running pod, and the claim says so', async (t) => {
      const space = await shared.space(t)
      await makeClaim(space)
      await space.start(withVolume(idle))
      const handle = await handleOf(space)
      const patch = { spec: { resources: { requests: { storage: '2Gi' } } } }
      await space.of(persistentVolumeClaims).patch('data', { type: 'merge', patch })
      await space.waitForEvent('data', 'ExternalExpanding')
      const isPending = ({
        status,
      }: {
        status?: { conditions?: readonly { type: string }[] | undefined } | undefined
      }): boolean => status?.conditions?.some(({ type }) => type === 'FileSystemResizePending') === true
      await space.waitFor(persistentVolumeClaims, 'data', isPending)
      // The kubelet looks about once a minute; a change of the pod makes it look at once.
      await space.of(pods).patch('pod', { type: 'merge', patch: { metadata: { annotations: { look: 'now' } } } })
      const grown = await space.waitFor(
        persistentVolumeClaims,
        'data',
        ({ status }) => status?.capacity?.['storage'] === '2Gi',
      )
      assert.deepEqual(grown.status?.conditions ?? [], [])
      assert.equal(requests('NodeExpandVolume', handle).length, 1)
      await space.waitForEvent('pod', 'FileSystemResizeSuccessful')
      await deletePod(space)
    })
  })

  test('the driver, the attacher and a missing driver each say what is wrong, and pods start once it is right', async (t) => {
    const space = await shared.space(t)
    await makeClaim(space)
    t.after(() => {
      driver.fail('NodePublishVolume', undefined)
      sidecars.attachFailure = undefined
    })
    driver.fail('NodePublishVolume', new GrpcError('INTERNAL', 'the disk is on fire'))
    sidecars.attachFailure = 'no slot is free'
    await space.create(withVolume(idle))
    await space.waitForEvent(
      'pod',
      'FailedAttachVolume',
      /^AttachVolume.Attach failed for volume "pvc-.*" : no slot is free$/,
    )
    sidecars.attachFailure = undefined
    const [attachment] = (await space.client.resource(volumeAttachments).list()).items
    const label = { metadata: { labels: { look: 'now' } } }
    await space.client
      .resource(volumeAttachments)
      .patch(attachment?.metadata.name ?? '', { type: 'merge', patch: label })
    const failed = await space.waitForEvent('pod', 'FailedMount', /on fire/)
    assert.match(
      failed,
      /^MountVolume.SetUp failed for volume "pvc-[^"]*" : rpc error: code = Internal desc = the disk is on fire$/,
    )
    driver.fail('NodePublishVolume', undefined)
    await space.waitFor(pods, 'pod', ({ status }) => status?.phase === 'Running')
    const lost = { name: 'v', csi: { driver: 'nobody.example' } }
    await space.create({ ...withVolume(idle, lost), name: 'lost' })
    await space.waitForEvent(
      'lost',
      'FailedMount',
      /^MountVolume.NewMounter initialization failed for volume "v" : volume mode "Ephemeral" not supported by driver nobody.example \(no CSIDriver object\)$/,
    )
    await space.client.resource(csiDrivers).create({
      metadata: { name: 'nobody.example' },
      spec: { volumeLifecycleModes: ['Ephemeral'] },
    })
    await space.waitForEvent(
      'lost',
      'FailedMount',
      /^MountVolume.SetUp failed for volume "v" : kubernetes.io\/csi: mounter.SetUpAt failed to get CSI client: driver name nobody.example not found in the list of registered CSI drivers$/,
    )
    await Promise.all(['pod', 'lost'].map((pod) => deletePod(space, pod)))
  })

  test('a driver that hangs keeps nobody from going, and nobody else from coming', async (t) => {
    const space = await shared.space(t)
    const inline = { name: 'v', csi: { driver: name } }
    const answer = driver.hang('NodePublishVolume')
    t.after(answer)
    const before = driver.callsOf('NodePublishVolume').length
    await space.create({ ...withVolume(idle, inline), name: 'stuck' })
    const isAsked = (): true | undefined => driver.callsOf('NodePublishVolume').length > before || undefined
    await eventually(isAsked, { what: 'the call that hangs' })
    await space.start({ script: idle, name: 'other' })
    const startedMs = performance.now()
    await deletePod(space, 'stuck')
    assert.ok(performance.now() - startedMs < 20_000, `it took ${performance.now() - startedMs} ms`)
    assert.deepEqual(mountsOf('stuck'), [])
  })

  test('pods that are deleted at any moment of their start leave nothing mounted, staged or attached', async (t) => {
    const space = await shared.space(t)
    await makeClaim(space)
    const volumes: Volume[] = [claimVolume, { name: 'inline', csi: { driver: name } }]
    const volumeMounts = volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` }))
    const moments: readonly ((pod: Pod) => boolean)[] = [
      () => true,
      ({ spec }) => spec.nodeName !== undefined,
      ({ status }) => status?.conditions?.some((each) => each.type === 'PodReadyToStartContainers') === true,
      ({ status }) => status?.podIP !== undefined,
      ({ status }) => status?.phase === 'Running',
    ]
    const uids = await Promise.all(
      Array.from({ length: 15 }, async (_value, index) => {
        const pod = `p${index}`
        const given = { container: { volumeMounts }, spec: { volumes } }
        const { metadata } = await space.create({ ...withVolume(idle, claimVolume, given), name: pod })
        await space.waitFor(pods, pod, moments[index % moments.length] ?? (() => true))
        await space.of(pods).delete(pod, index % 2 === 0 ? {} : { gracePeriodSeconds: 0 })
        await space.waitGone(pods, pod)
        return metadata.uid
      }),
    )
    const handle = await handleOf(space)
    const left = (): readonly string[] => [...uids, handle].flatMap(mountsOf)
    await eventually(() => left().length === 0 || undefined, { what: 'nothing is mounted' })
    await eventually(
      async () => ((await space.client.resource(volumeAttachments).list()).items.length === 0 ? true : undefined),
      { what: 'nothing is attached' },
    )
    const podsDir = join(shared.cluster.layout.kubeletDir, 'pods')
    const isClean = (): true | undefined => uids.every((uid) => !existsSync(join(podsDir, uid))) || undefined
    await eventually(isClean, { what: 'no folder is left' })
  })

  test('after kill -9 of the kubelet a running pod keeps its volume, and that of a pod that is gone is released', async (t) => {
    const space = await shared.space(t)
    await makeClaim(space)
    const first = await space.start(withVolume(`echo one > /v/f; ${idle}`))
    const csi = { driver: name, volumeAttributes: { for: 'the one that goes' } }
    const gone = await space.start({ ...withVolume(idle, { name: 'v', csi }), name: 'gone' })
    const handle = await handleOf(space)
    const publishes = requests('NodePublishVolume', handle).length
    await space.of(pods).delete('gone', { gracePeriodSeconds: 0 })
    await shared.cluster.signal('SIGKILL')
    await shared.cluster.up()
    const isSame = ({ metadata, status }: Pod): boolean =>
      metadata.uid === first.metadata.uid &&
      status?.phase === 'Running' &&
      status.containerStatuses?.[0]?.restartCount === 0
    await space.waitFor(pods, 'pod', isSame)
    assert.equal((await space.exec('pod', 'main', 'cat', '/v/f')).trim(), 'one')
    assert.equal(requests('NodePublishVolume', handle).length, publishes)
    await eventually(() => mountsOf(gone.metadata.uid).length === 0 || undefined, { what: 'the other one is released' })
    await deletePod(space)
    assert.equal(requests('NodeUnstageVolume', handle).length, 1)
    assert.deepEqual(mountsOf(handle), [])
  })

  test('a driver that asks for it publishes again while the pod runs, without attachment and staging', async (t) => {
    const space = await shared.space(t)
    const { client, cluster } = shared
    const other = 'again.coracle.test'
    const spec = { attachRequired: false, requiresRepublish: true, fsGroupPolicy: 'None' }
    await client.resource(csiDrivers).create({ metadata: { name: other }, spec })
    const folder = await mkdtemp('/var/tmp/coracle-csi-')
    await using again = await CsiTestDriver.start({
      ...{ name: other, folder, isUnstaged: true, kubeletDir: cluster.layout.kubeletDir },
    })
    await space.waitFor(csiNodes, 'node-1', ({ spec: { drivers } }) => drivers.some((each) => each.name === other))
    await client.resource(persistentVolumes).create({
      metadata: { name: space.namespace },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany'],
        storageClassName: 'again',
        csi: { driver: other, volumeHandle: 'many' },
      },
    } as never)
    t.after(() => client.resource(persistentVolumes).delete(space.namespace))
    await makeClaim(space, { storageClassName: 'again', accessModes: ['ReadWriteMany'] })
    await space.start(withVolume(idle, claimVolume, { spec: { securityContext: { fsGroup: 777 } } }))
    assert.equal((await space.exec('pod', 'main', 'stat', '-c', '%g', '/v')).trim(), '0')
    assert.equal(again.callsOf('NodePublishVolume').length, 1)
    await space.of(pods).patch('pod', { type: 'merge', patch: { metadata: { annotations: { look: 'now' } } } })
    await eventually(() => again.callsOf('NodePublishVolume').length === 2 || undefined, {
      what: 'it is published again',
    })
    assert.equal(again.callsOf('NodeStageVolume').length, 0)
    const summary = JSON.parse(await space.kubectl('get', '--raw', '/api/v1/nodes/node-1/proxy/stats/summary')) as {
      readonly pods: readonly {
        readonly volume?: readonly { readonly pvcRef?: object; readonly capacityBytes?: number }[]
      }[]
    }
    const measured = summary.pods.flatMap(({ volume = [] }) => volume).find(({ pvcRef }) => pvcRef !== undefined)
    assert.deepEqual([measured?.pvcRef, measured?.capacityBytes], [{ name: 'data', namespace: space.namespace }, 1000])
    await deletePod(space)
    assert.deepEqual(mountsOf(folder), [])
  })

  test('a driver that goes away leaves the CSINode, and a pod that ends meanwhile is released when it is back', async (t) => {
    const space = await shared.space(t)
    await makeClaim(space)
    await space.start(withVolume(idle))
    const handle = await handleOf(space)
    await driver.stop()
    await space.waitFor(csiNodes, 'node-1', ({ spec }) => ((spec.drivers as object[] | null) ?? []).length === 0)
    await space.of(pods).delete('pod')
    await driver.listen()
    await space.waitGone(pods, 'pod')
    assert.equal(requests('NodeUnpublishVolume', handle).length, 1)
    assert.deepEqual(mountsOf(handle), [])
  })
})
