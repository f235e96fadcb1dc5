/**
 * Goal: what the kubelet does with a runtime that can do more than the oldest one that is supported. Method: one cluster on
 * containerd 2 and runc 1.3 from Debian's sid suite, with a registry of our own for images whose users have groups.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Container, ContainerStatus, Pod, PodSpec, VolumeMount } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { ociParts, type OciImage } from '#lib/oci-archive.ts'
import { tarArchive } from '#lib/tar.ts'
import { sidContainerd, sidRunc } from '../../scripts/debian-sid.ts'
import { busyboxLayer } from '../images/catalog.ts'
import { textFile } from '../images/image-files.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { startRegistry, type Registry } from './harness/registry.ts'
import { outputOf } from './harness/run-program.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestSpace } from './harness/test-space.ts'

const path = process.env['PATH'] ?? ''
process.env['PATH'] = [await sidRunc(), (await sidContainerd()).binaryDir, path].join(delimiter)
const ids = 65_536
const shared = sharedCluster({
  async flags(dir) {
    const config = join(dir, 'kubelet.yaml')
    const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    await writeFile(config, `${head}userNamespaces: { idsPerPod: ${2 * ids} }\n`)
    return ['--config', config]
  },
})
const options = { skip, concurrency: 4 }
let registry: Registry
let image: OciImage
let folder = ''

before(async () => {
  if (skip !== false) return
  const users = tarArchive([
    textFile('etc/passwd', ['root:x:0:0:root:/root:/bin/sh', 'alice:x:1000:1000:alice:/:/bin/sh']),
    textFile('etc/group', ['root:x:0:', 'alice:x:1000:', 'of-the-image:x:50000:alice']),
  ])
  const layers = [await busyboxLayer(), users]
  image = { reference: 'coracle.test/groups:1', architecture: 'amd64', layers, config: { Cmd: ['id'] } }
  registry = await startRegistry([image])
  folder = await mkdtemp('/var/tmp/coracle-runtime-')
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

const statusOf = (pod: Pod): ContainerStatus | undefined => pod.status?.containerStatuses?.[0]

test('users of the own are as many as the configuration says', { skip }, async (t) => {
  const space = await shared.space(t)
  const log = await space.output({ script: 'cat /proc/self/uid_map', spec: { hostUsers: false } })
  assert.deepEqual(log.trim().split(/\s+/).map(Number), [0, 2 * ids, 2 * ids])
})

describe('what is mounted below a read-only volume', options, () => {
  type Recursion = NonNullable<VolumeMount['recursiveReadOnly']>

  /** A folder of the node with something mounted in it that can be written. */
  async function withMount(name: string): Promise<string> {
    const top = join(folder, name)
    await mkdir(join(top, 'below'), { recursive: true })
    await outputOf('mount', ['-t', 'tmpfs', 'tmpfs', join(top, 'below')])
    return top
  }

  function spec(
    hostPath: string,
    mount: Partial<VolumeMount>,
  ): { spec: Partial<PodSpec>; container: Partial<Container> } {
    const volumeMounts = [{ name: 'v', mountPath: '/v', readOnly: true, ...mount }]
    return { spec: { volumes: [{ name: 'v', hostPath: { path: hostPath } }] }, container: { volumeMounts } }
  }

  const script = 'touch /v/top 2>/dev/null || echo top read-only; touch /v/below/x 2>/dev/null || echo below read-only'
  const shown: Readonly<Record<Recursion, readonly [log: string, status: string]>> = {
    Disabled: ['top read-only\n', 'Disabled'],
    IfPossible: ['top read-only\nbelow read-only\n', 'Enabled'],
    Enabled: ['top read-only\nbelow read-only\n', 'Enabled'],
  }

  for (const [recursiveReadOnly, [log, status]] of Object.entries(shown) as [Recursion, readonly [string, string]][]) {
    test(`is ${status === 'Enabled' ? 'read-only' : 'not'} where that is ${recursiveReadOnly}`, async (t) => {
      const space = await shared.space(t)
      const top = await withMount(recursiveReadOnly)
      t.after(() => outputOf('umount', ['-l', join(top, 'below')]))
      const ended = await space.run({ script, ...spec(top, { recursiveReadOnly }) })
      assert.equal(ended.log, log)
      const volumeMounts = statusOf(ended.pod)?.volumeMounts?.filter(({ name }) => name === 'v')
      assert.deepEqual(volumeMounts, [{ name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: status }])
    })
  }

  test('is asked for by read-only mounts alone', async (t) => {
    const space = await shared.space(t)
    const refused = space.create({ script, ...spec(folder, { readOnly: false, recursiveReadOnly: 'Enabled' }) })
    await assert.rejects(refused, /recursiveReadOnly: Forbidden: may only be specified when readOnly is true/)
  })
})

describe('the groups of a process', options, () => {
  const securityContext = { runAsUser: 1000, supplementalGroups: [60_000] }
  const groupsOf = async (space: TestSpace, policy: 'Merge' | 'Strict'): Promise<Pod> => {
    const container = { image: `${registry.host}/groups:1`, command: ['sh', '-c', 'id -G; sleep 1000'] }
    const spec = { securityContext: { ...securityContext, supplementalGroupsPolicy: policy } }
    return space.start({ name: policy.toLowerCase(), container, spec })
  }

  /** A container is ready before it has said anything. */
  const says = async (space: TestSpace, pod: string, text: string): Promise<void> => {
    const said = await eventually(async () => (await space.log(pod)) || undefined, { what: `${pod} says its groups` })
    assert.equal(said, text)
  }

  test('are those of the image and those of the pod, and the status tells', async (t) => {
    const space = await shared.space(t)
    const pod = await groupsOf(space, 'Merge')
    await says(space, 'merge', '1000 50000 60000\n')
    assert.deepEqual(statusOf(pod)?.user?.linux, { uid: 1000, gid: 1000, supplementalGroups: [1000, 50_000, 60_000] })
  })

  test('are only those that were asked for, and the status tells', async (t) => {
    const space = await shared.space(t)
    const pod = await groupsOf(space, 'Strict')
    await says(space, 'strict', '1000 60000\n')
    assert.deepEqual(statusOf(pod)?.user?.linux, { uid: 1000, gid: 1000, supplementalGroups: [1000, 60_000] })
  })
})

test('an image is named by its digest, as it was asked for and as it shows', { skip }, async (t) => {
  const space = await shared.space(t)
  const digest = ociParts([image]).manifests[0]?.digest ?? ''
  const named = `${registry.host}/groups@${digest}`
  const ended = await space.run({ container: { image: named } })
  assert.match(ended.log, /^uid=0\(root\)/)
  const { image: shown, imageID } = statusOf(ended.pod) ?? {}
  assert.deepEqual([shown, imageID], [named, named])
  const wrong = `${registry.host}/groups@sha256:${'0'.repeat(64)}`
  await space.create({ name: 'wrong', container: { image: wrong } })
  const waits = (pod: Pod): boolean => statusOf(pod)?.state?.waiting?.reason === 'ErrImagePull'
  assert.match(statusOf(await space.waitFor(pods, 'wrong', waits))?.state?.waiting?.message ?? '', /not found/)
  assert.equal(isReady(ended.pod), false)
})
