/**
 * Goal: an image as a volume. Method: one cluster on containerd 2 from Debian's sid suite, whose programs are put first
 * in the path, and a registry of our own that counts the pulls.
 */
import assert from 'node:assert/strict'
import { delimiter } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Volume } from '#api/types/core.v1.ts'
import { sidContainerd } from '../../scripts/debian-sid.ts'
import { tarArchive } from '#lib/tar.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { startRegistry, type Registry } from './harness/registry.ts'
import { sharedCluster } from './harness/shared-cluster.ts'

const path = process.env['PATH'] ?? ''
process.env['PATH'] = `${(await sidContainerd()).binaryDir}${delimiter}${path}`
const shared = sharedCluster()
let registry: Registry

const files = tarArchive([
  { path: 'dir', kind: 'directory', mode: 0o755 },
  { path: 'dir/file', kind: 'file', content: Buffer.from('from the image\n'), mode: 0o644 },
])

describe('images as volumes', { skip }, () => {
  before(async () => {
    registry = await startRegistry([
      { reference: 'coracle.test/artifact:1', architecture: 'amd64', layers: [files], config: {} },
    ])
  })
  after(() => registry[Symbol.asyncDispose]())

  const volumeOf = (pullPolicy: 'Always' | 'IfNotPresent', tag = '1'): Volume => ({
    name: 'v',
    image: { reference: `${registry.host}/artifact:${tag}`, pullPolicy },
  })

  behaviour('common/node/image_volume', 'ImageVolume should succeed with pod and pull policy of Always', async (t) => {
    const space = await shared.space(t)
    const script = 'cat /v/dir/file; touch /v/new 2>/dev/null || echo read-only'
    const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
    const pod = { script, container, spec: { volumes: [volumeOf('Always')] } }
    assert.equal(await space.output(pod), 'from the image\nread-only\n')
    const before = registry.pulls.get('artifact:1') ?? 0
    assert.equal(await space.output({ ...pod, name: 'again' }), 'from the image\nread-only\n')
    assert.ok((registry.pulls.get('artifact:1') ?? 0) > before)
  })

  test('an image that does not exist, and a path that this runtime would not mount, are said to be so', async (t) => {
    const space = await shared.space(t)
    const container = { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'dir' }] }
    const whole = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
    await space.create({ script: 'true', container, spec: { volumes: [volumeOf('IfNotPresent')] } })
    await space.create({ name: 'lost', script: 'true', container: whole, spec: { volumes: [volumeOf('Always', '2')] } })
    await space.waitForEvent('pod', 'Failed', /a path inside one takes containerd 2\.2: this node has containerd 2\.1/)
    await space.waitForEvent('lost', 'Failed', /Failed to pull image .*artifact:2/)
  })
})
