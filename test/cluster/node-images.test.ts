/**
 * Goal: images are pulled as policies, secrets and the node's own credentials say, and what goes wrong is told in the
 * words that users search for. Method: one cluster, and two real registries on the loopback, one of them closed.
 */
import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { pods, secrets } from '#api/types/resources.ts'
import type { OciImage, OciRunConfig } from '#lib/oci-archive.ts'
import { tarArchive } from '#lib/tar.ts'
import { busyboxLayer } from '../images/catalog.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { registryUser, startDebianRegistry, type DebianRegistry } from './harness/debian-registry.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

let providers = ''
const shared = sharedCluster({
  async flags(folder) {
    providers = join(folder, 'providers')
    await mkdir(providers)
    const config = join(folder, 'providers.yaml')
    await writeFile(
      config,
      `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: teller
  matchImages: ["127.0.0.1:*/told"]
  defaultCacheDuration: 0s
  apiVersion: credentialprovider.kubelet.k8s.io/v1
`,
    )
    const settings = join(folder, 'kubelet.yaml')
    await writeFile(
      settings,
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nserializeImagePulls: false\nregistryPullQPS: 0\n',
    )
    return [
      '--config',
      settings,
      '--image-credential-provider-config',
      config,
      '--image-credential-provider-bin-dir',
      providers,
    ]
  },
})
let open: DebianRegistry
let closed: DebianRegistry
let layer: Buffer

before(async () => {
  if (skip !== false) return
  layer = Buffer.from(await busyboxLayer())
  open = await startDebianRegistry()
  closed = await startDebianRegistry({ isClosed: true })
})

after(async () => {
  await open?.[Symbol.asyncDispose]()
  await closed?.[Symbol.asyncDispose]()
})

const sayHello: OciRunConfig = { Cmd: ['echo', 'hello'], Env: ['PATH=/bin'] }

/** Puts an image of its own name into a registry; returns what pods call it. */
function pushed(registry: DebianRegistry, name: string, more: Partial<OciImage> = {}): Promise<string> {
  const mark = Buffer.from(tarArchive([{ path: name.replaceAll('/', '-'), kind: 'file', content: Buffer.from(name) }]))
  const image: OciImage = {
    reference: `${name}:1`,
    architecture: 'amd64',
    layers: [layer, mark],
    config: sayHello,
    ...more,
  }
  return registry.push(image)
}

const waitingReason = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason

/** The message with which the container waits for the reason. */
async function waits(space: TestSpace, pod: TestPod, reason: string): Promise<string> {
  await space.create(pod)
  const seen = await space.waitFor(pods, pod.name ?? 'pod', (each) => waitingReason(each) === reason)
  return seen.status?.containerStatuses?.[0]?.state?.waiting?.message ?? ''
}

describe('pulls', { skip, concurrency: 4 }, () => {
  test('an image that is not on the node is pulled, once', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(open, 'once')
    assert.equal(await space.output({ name: 'first', container: { image } }), 'hello\n')
    assert.match(
      await space.waitForEvent('first', 'Pulled'),
      /^Successfully pulled image ".*" in .*s \(.*s including waiting\)\. Image size: \d+ bytes\.$/,
    )
    await space.output({ name: 'second', container: { image } })
    assert.match(await space.waitForEvent('second', 'Pulled'), /^Container image ".*" already present on machine/)
  })

  test('Always asks the registry although the image is here', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(open, 'always')
    for (const name of ['first', 'second']) {
      await space.output({ name, container: { image, imagePullPolicy: 'Always' } })
      await space.waitForEvent(name, 'Pulled', /^Successfully pulled/)
    }
  })

  test('Never is content with what is here, and says so', async (t) => {
    const space = await shared.space(t)
    await space.output({ name: 'here', script: 'true', container: { imagePullPolicy: 'Never' } })
    const image = 'coracle.test/nowhere:1'
    const message = await waits(space, { container: { image, imagePullPolicy: 'Never' } }, 'ErrImageNeverPull')
    assert.equal(message, `Container image "${image}" is not present with pull policy of Never`)
  })

  test('an image that does not exist: ErrImagePull, then a back-off that names the reason', async (t) => {
    const space = await shared.space(t)
    const image = `${open.host}/none:1`
    const message = await waits(space, { container: { image } }, 'ErrImagePull')
    assert.match(
      message,
      /^rpc error: code = NotFound desc = failed to pull and unpack image ".*\/none:1": .*: not found$/,
    )
    await space.waitFor(pods, 'pod', (pod) => waitingReason(pod) === 'ImagePullBackOff')
    const { status } = await space.of(pods).get('pod')
    assert.equal(
      status?.containerStatuses?.[0]?.state?.waiting?.message,
      `Back-off pulling image "${image}": ErrImagePull: ${message}`,
    )
    assert.match(
      await space.waitForEvent('pod', 'Failed', /^Failed to pull image/),
      /^Failed to pull image ".*": rpc error/,
    )
  })

  test('a name that cannot be one', async (t) => {
    const space = await shared.space(t)
    const message = await waits(space, { container: { image: 'Not/An Image' } }, 'InvalidImageName')
    assert.equal(
      message,
      `Failed to apply default image tag "Not/An Image": couldn't parse image name "Not/An Image": invalid reference format`,
    )
  })

  test('an image for another platform', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(open, 'foreign', { architecture: 'arm64' })
    assert.match(await waits(space, { container: { image } }, 'ErrImagePull'), /no match for platform in manifest/)
  })

  test('an image without a command, and a command that does not exist', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(open, 'mute', { config: {} })
    assert.match(
      await waits(space, { name: 'mute', container: { image } }, 'CreateContainerError'),
      /no command specified/,
    )
    const { pod } = await space.run({ name: 'missing', container: { image, command: ['/no/such'] } })
    const { exitCode, reason, message } = pod.status?.containerStatuses?.[0]?.state?.terminated ?? {}
    assert.deepEqual([exitCode, reason], [128, 'StartError'])
    assert.match(message ?? '', /exec: "\/no\/such": stat \/no\/such: no such file or directory/)
  })

  test('a container of many images pulls them beside each other', async (t) => {
    const space = await shared.space(t)
    const images = await Promise.all(['a', 'b', 'c'].map((name) => pushed(open, `many-${name}`)))
    await Promise.all(images.map((image, index) => space.output({ name: `pod-${index}`, container: { image } })))
  })
})

describe('credentials', { skip, concurrency: 3 }, () => {
  test('without them a closed registry gives nothing', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(closed, 'refused')
    assert.match(
      await waits(space, { container: { image } }, 'ErrImagePull'),
      /no basic auth credentials|401 Unauthorized/,
    )
  })

  test('imagePullSecrets', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(closed, 'secret')
    const config = { auths: { [closed.host]: registryUser } }
    const data = { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') }
    const spec = { imagePullSecrets: [{ name: 'missing' }, { name: 'registry' }] }
    await space.of(secrets).create({ metadata: { name: 'registry' }, type: 'kubernetes.io/dockerconfigjson', data })
    assert.equal(await space.output({ spec: { ...spec, containers: [{ name: 'main', image }] } }), 'hello\n')
    assert.match(
      await space.waitForEvent('pod', 'FailedToRetrieveImagePullSecret'),
      /^Unable to retrieve some image pull secrets \(missing\);/,
    )
    // The image is on the node now, but not for everybody.
    const container = { image, imagePullPolicy: 'IfNotPresent' as const }
    const stranger = await waits(space, { name: 'stranger', container }, 'ErrImagePull')
    assert.match(stranger, /no basic auth credentials|401 Unauthorized/)
    const known = { ...spec, containers: [{ name: 'main', ...container }] }
    assert.equal(await space.output({ name: 'known', spec: known }), 'hello\n')
    assert.match(
      await space.waitForEvent('known', 'Pulled'),
      /already present on machine and can be accessed by the pod/,
    )
  })

  test("docker's configuration in the kubelet's folder", async (t) => {
    const space = await shared.space(t)
    const image = await pushed(closed, 'node/config')
    const path = join(shared.cluster.layout.kubeletDir, 'config.json')
    t.after(() => rm(path))
    await writeFile(path, JSON.stringify({ auths: { [`${closed.host}/node`]: registryUser } }))
    assert.equal(await space.output({ container: { image } }), 'hello\n')
  })

  test('a credential provider', async (t) => {
    const space = await shared.space(t)
    const image = await pushed(closed, 'told/provider')
    const answer = {
      kind: 'CredentialProviderResponse',
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      cacheKeyType: 'Image',
      auth: { [`${closed.host}/told`]: registryUser },
    }
    await writeFile(join(providers, 'teller'), `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`, { mode: 0o755 })
    assert.equal(await space.output({ container: { image } }), 'hello\n')
  })
})
