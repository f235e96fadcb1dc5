/**
 * Goal: volumes of the node's own, with all that can be wrong with them: checks, links, mounts inside of mounts, limits,
 * sources that come later, and what is left behind. Method: one cluster; pods and the node's file system tell.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { PersistentVolume, Volume } from '#api/types/core.v1.ts'
import { configMaps, persistentVolumeClaims, persistentVolumes, pods, secrets } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { outputOf } from './harness/run-program.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
let folder = ''

function withVolume(script: string, volume: Omit<Volume, 'name'>, more: Partial<TestPod> = {}): TestPod {
  const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }], ...more.container }
  const spec = { terminationGracePeriodSeconds: 1, volumes: [{ name: 'v', ...volume }], ...more.spec }
  return { script, ...more, container, spec }
}

async function deletePod(space: TestSpace, name = 'pod'): Promise<void> {
  await space.of(pods).delete(name)
  await space.waitGone(pods, name)
}

const setUpFailed = 'MountVolume.SetUp failed for volume "v" : '
const exactly = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`)

describe('volumes of the node', { skip, concurrency: 4 }, () => {
  before(async () => {
    folder = await mkdtemp('/var/tmp/coracle-volumes-')
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'dir'))
    await writeFile(join(folder, 'file'), 'text')
    // Of the test's own, because nothing can be passed on from a mount that is private.
    await mkdir(join(folder, 'shared'))
    await outputOf('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, 'shared')])
    await outputOf('mount', ['--make-shared', join(folder, 'shared')])
  })
  after(async () => {
    await outputOf('umount', ['--recursive', join(folder, 'shared')])
    await rm(folder, { recursive: true, force: true })
  })

  test('a path of the node is what its type says, or the pod is told what it is not', async (t) => {
    const space = await shared.space(t)
    const wrong = [
      ['Directory', 'file', 'directory'],
      ['Directory', 'none', 'directory'],
      ['DirectoryOrCreate', 'file', 'directory'],
      ['File', 'dir', 'file'],
      ['FileOrCreate', 'dir', 'file'],
      ['Socket', 'file', 'socket file'],
      ['CharDevice', 'file', 'character device'],
      ['BlockDevice', 'dir', 'block device'],
    ] as const
    await Promise.all(
      wrong.map(async ([type, name, noun]) => {
        const path = join(folder, name)
        const pod = `${type}-${name}`.toLowerCase()
        await space.create({ ...withVolume('true', { hostPath: { path, type } }), name: pod })
        const message = `${setUpFailed}hostPath type check failed: ${path} is not a ${noun}`
        await space.waitForEvent(pod, 'FailedMount', exactly(message))
      }),
    )
    const made = { hostPath: { path: join(folder, 'made/here'), type: 'DirectoryOrCreate' as const } }
    await space.output({ ...withVolume('echo hello > /v/f', made), name: 'made' })
    assert.equal(readFileSync(join(folder, 'made/here/f'), 'utf8'), 'hello\n')
  })

  test('types that are not provided are refused by name', async (t) => {
    const space = await shared.space(t)
    const gitRepo = { gitRepo: { repository: 'https://example.com/x.git' } }
    const rbd = { rbd: { monitors: ['m'], image: 'i' } }
    // Where the node has no `mount.nfs`, `mount` itself says so; where it has, nobody answers there.
    const nfs = { nfs: { server: '127.0.0.1', path: '/none' } }
    await space.create({ ...withVolume('true', nfs), name: 'nfs' })
    await space.create({ ...withVolume('true', gitRepo), name: 'git' })
    await space.create({ ...withVolume('true', rbd as Omit<Volume, 'name'>), name: 'rbd' })
    await space.create({ ...withVolume('true', { image: { reference: 'coracle.test/busybox:1' } }), name: 'image' })
    await space.waitForEvent(
      'nfs',
      'FailedMount',
      /^MountVolume.SetUp failed for volume "v" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs 127.0.0.1:\/none /,
    )
    await space.waitForEvent('git', 'FailedMount', /gitRepo volume plugin has been disabled/)
    const lists = 'unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]'
    const why = 'failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched'
    await space.waitForEvent('rbd', 'FailedMount', exactly(`Unable to attach or mount volumes: ${lists}: ${why}`))
    await space.waitForEvent('image', 'Failed', /volume "v" is an image, and mounting one takes containerd 2.1/)
  })

  test('a pod waits for a source that comes later', async (t) => {
    const space = await shared.space(t)
    await space.create(withVolume('cat /v/key', { secret: { secretName: 'later' } }))
    await space.waitForEvent('pod', 'FailedMount', exactly(`${setUpFailed}secret "later" not found`))
    await space
      .of(secrets)
      .create({ metadata: { name: 'later' }, data: { key: Buffer.from('came').toString('base64') } })
    await space.waitFor(pods, 'pod', ({ status }) => status?.phase === 'Succeeded')
    assert.equal(await space.log('pod'), 'came')
  })

  test('links that a container plants lead nowhere, neither by a sub-path nor when the pod is cleaned away', async (t) => {
    const space = await shared.space(t)
    const kept = join(folder, 'kept')
    await mkdir(kept)
    await writeFile(join(kept, 'precious'), 'still here')
    const image = 'coracle.test/busybox:1'
    const volumeMounts = [{ name: 'v', mountPath: '/v' }]
    const plant = `ln -s ${folder} /v/out; ln -s ${kept} /v/folder; mkdir /v/real; ln -s ../../../../../.. /v/real/up`
    const { metadata } = await space.create(
      withVolume(
        'sleep 3600',
        { emptyDir: {} },
        {
          container: { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'out/kept' }] },
          spec: { initContainers: [{ name: 'plant', image, command: ['sh', '-c', plant], volumeMounts }] },
        },
      ),
    )
    await space.waitForEvent('pod', 'Failed', /failed to prepare subPath for volumeMount "v" of container "main"/)
    await space.of(pods).delete('pod')
    const left = join(shared.cluster.layout.kubeletDir, 'pods', metadata.uid)
    await eventually(() => !existsSync(left) || undefined, { what: "the pod's folder is gone" })
    assert.equal(readFileSync(join(kept, 'precious'), 'utf8'), 'still here')
  })

  test('a file that is mounted alone stays as it was, until its container starts again', async (t) => {
    const space = await shared.space(t)
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { file: 'one' } })
    const script = 'until grep -q two /live/file; do sleep 0.1; done; cat /alone; grep -q two /alone'
    const volumeMounts = [
      { name: 'v', mountPath: '/live' },
      { name: 'v', mountPath: '/alone', subPath: 'file' },
    ]
    const spec = { restartPolicy: 'OnFailure' as const }
    await space.start(withVolume(script, { configMap: { name: 'map' } }, { container: { volumeMounts }, spec }))
    await space.of(configMaps).patch('map', { type: 'merge', patch: { data: { file: 'two' } } })
    const { status } = await space.waitFor(pods, 'pod', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(status?.containerStatuses?.[0]?.restartCount, 1)
    assert.deepEqual([await space.log('pod', 'main', { previous: 'true' }), await space.log('pod')], ['one', 'two'])
  })

  test('mounts pass between node and container as they are asked to', async (t) => {
    const space = await shared.space(t)
    const path = join(folder, 'shared')
    const script = 'mount -t tmpfs tmpfs /v/inner; touch /v/inner/made-inside; sleep 3600'
    await mkdir(join(path, 'inner'))
    await mkdir(join(path, 'outer'))
    const mounted = (
      mountPropagation: 'None' | 'HostToContainer' | 'Bidirectional',
      text: string,
      name: string,
    ): TestPod => ({
      ...withVolume(
        text,
        { hostPath: { path } },
        {
          container: {
            volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation }],
            ...(mountPropagation === 'Bidirectional' && { securityContext: { privileged: true } }),
          },
        },
      ),
      name,
    })
    await space.start(mounted('None', 'sleep 3600', 'none'))
    await space.start(mounted('HostToContainer', 'sleep 3600', 'slave'))
    await outputOf('mount', ['-t', 'tmpfs', 'tmpfs', join(path, 'outer')])
    await writeFile(join(path, 'outer/from-node'), '')
    assert.equal(await space.exec('slave', 'main', 'ls', '/v/outer'), 'from-node\n')
    assert.equal(await space.exec('none', 'main', 'ls', '/v/outer'), '')
    await space.start(mounted('Bidirectional', script, 'both'))
    const seen = (): true | undefined => existsSync(join(path, 'inner/made-inside')) || undefined
    await eventually(seen, { what: 'the node sees what the container mounts' })
    assert.equal(await space.exec('slave', 'main', 'ls', '/v/inner'), 'made-inside\n')
    await Promise.all(['none', 'slave', 'both'].map((pod) => deletePod(space, pod)))
  })

  test('what is read-only cannot be written, and recursively only where the runtime can', async (t) => {
    const space = await shared.space(t)
    const hostPath = { path: join(folder, 'dir') }
    const readOnly = { volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }] }
    const script = 'touch /v/f 2>&1 || true'
    assert.match(await space.output(withVolume(script, { hostPath }, { container: readOnly })), /Read-only file system/)
    const volumeMounts = [{ ...readOnly.volumeMounts[0], recursiveReadOnly: 'Enabled' as const }]
    await space.create({ ...withVolume(script, { hostPath }, { container: { volumeMounts } as never }), name: 'rro' })
    const message =
      'Error: failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is not supported by the runtime'
    await space.waitForEvent('rro', 'Failed', exactly(message))
  })

  test('a folder in memory is as large as its limit, and a full one harms nobody else', async (t) => {
    const space = await shared.space(t)
    const script =
      'dd if=/dev/zero of=/v/big bs=64k count=64 2>&1 | tail -n 1; df -k /v | tail -n 1; rm /v/big; echo ok'
    const volume = { emptyDir: { medium: 'Memory', sizeLimit: '2Mi' } }
    const log = await space.output(withVolume(script, volume))
    assert.match(log, /^dd: .*No space left on device\n|2048/m)
    assert.match(log, /tmpfs +2048 [^]*ok\n$/)
  })

  test('a pod that writes more into an empty folder than its limit is evicted', async (t) => {
    const space = await shared.space(t)
    const script = 'dd if=/dev/zero of=/v/big bs=1M count=3 2>/dev/null; sleep 3600'
    await space.create(withVolume(script, { emptyDir: { sizeLimit: '1Mi' } }))
    const { status } = await space.waitFor(pods, 'pod', (pod) => pod.status?.phase === 'Failed')
    assert.deepEqual(
      [status?.reason, status?.message],
      ['Evicted', 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '],
    )
  })

  test('a local volume is given to the group of the pod, by its policy only where the top says otherwise', async (t) => {
    const space = await shared.space(t)
    const path = join(folder, 'local')
    await mkdir(path)
    await writeFile(join(path, 'old'), 'x', { mode: 0o600 })
    const values = ['node-1']
    const nodeSelectorTerms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] }]
    const spec = {
      ...{ capacity: { storage: '1Mi' }, accessModes: ['ReadWriteOnce'], local: { path }, storageClassName: 'local' },
      nodeAffinity: { required: { nodeSelectorTerms } },
    } as PersistentVolume['spec']
    await space.client.resource(persistentVolumes).create({ metadata: { name: space.namespace }, spec })
    t.after(() => space.client.resource(persistentVolumes).delete(space.namespace))
    await space.of(persistentVolumeClaims).create({
      metadata: { name: 'data' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local',
        resources: { requests: { storage: '1Mi' } },
      },
    })
    const claim = { persistentVolumeClaim: { claimName: 'data' } }
    const run = (name: string, fsGroupChangePolicy: 'Always' | 'OnRootMismatch'): Promise<string> => {
      const securityContext = { fsGroup: 4321, runAsUser: 1000, fsGroupChangePolicy }
      const pod = withVolume("stat -c '%g %a' /v /v/old; echo new > /v/new; id -G", claim, {
        spec: { securityContext },
      })
      return space.output({ ...pod, name })
    }
    assert.equal(await run('first', 'Always'), '4321 2775\n4321 660\n0 4321\n')
    await chmod(join(path, 'old'), 0o600)
    assert.equal(await run('second', 'OnRootMismatch'), '4321 2775\n4321 600\n0 4321\n')
    assert.equal(await run('third', 'Always'), '4321 2775\n4321 660\n0 4321\n')
    const summary = await space.kubectl('get', '--raw', '/api/v1/nodes/node-1/proxy/stats/summary')
    assert.match(summary, /"volume":\[/)
  })

  test('of pods that are gone, no mount and no folder is left, even where the source has gone before', async (t) => {
    const space = await shared.space(t)
    const volumes: Volume[] = [
      { name: 'memory', emptyDir: { medium: 'Memory' } },
      { name: 'disk', emptyDir: {} },
      { name: 'host', hostPath: { path: join(folder, 'dir') } },
      { name: 'gone', hostPath: { path: join(folder, 'gone'), type: 'DirectoryOrCreate' } },
    ]
    const volumeMounts = volumes.flatMap(({ name }) => [
      { name, mountPath: `/${name}` },
      { name, mountPath: `/sub-${name}`, subPath: 'a/b' },
    ])
    const { metadata } = await space.start(
      withVolume('sleep 3600', {}, { container: { volumeMounts }, spec: { volumes } }),
    )
    const mounts = (): number => readFileSync('/proc/self/mountinfo', 'utf8').split(metadata.uid).length - 1
    assert.ok(mounts() >= 5)
    await rm(join(folder, 'gone'), { recursive: true })
    await deletePod(space)
    await eventually(() => mounts() === 0 || undefined, { what: 'nothing is mounted' })
    const podsDir = join(shared.cluster.layout.kubeletDir, 'pods')
    await eventually(async () => !(await readdir(podsDir)).includes(metadata.uid) || undefined, { what: 'no folder' })
    assert.deepEqual(await readdir(join(folder, 'dir/a')), ['b'])
  })
})
