import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import { manualClock } from '#lib/clock.ts'
import { settingsOf } from '../configuration/kubelet-settings.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { imageAccess, type AccessQuestion } from './image-access.ts'
import { createImageManager, type ImageManager } from './image-manager.ts'
import { PullRecords, type ImageAccess } from './pull-records.ts'

const image = 'registry.example/team/app:1'
const secret = { uid: 'u1', namespace: 'ns', name: 's', credentialHash: 'h1' }

function answer(more: Partial<AccessQuestion>, access?: ImageAccess): string {
  const record = access && { imageRef: 'sha256:1', credentialMapping: { 'registry.example/team/app': access } }
  const question = {
    ...{ policy: 'NeverVerifyPreloadedImages', allowlist: [], image, secrets: [] },
    ...{ record, isPulledByNode: record !== undefined },
  }
  const decided = imageAccess({ ...question, ...more })
  return typeof decided === 'object' ? `by ${decided.name}` : decided ? 'free' : 'pull'
}

test('who may use an image that is there', () => {
  const bySecret = { kubernetesSecrets: [secret] }
  const allowed = { policy: 'NeverVerifyAllowlistedImages' }
  assert.deepEqual(
    {
      preloaded: answer({}),
      everybodys: answer({}, { nodePodsAccessible: true }),
      without: answer({}, bySecret),
      sameSecret: answer({ secrets: [{ ...secret, credentialHash: 'renewed' }] }, bySecret),
      sameCredentials: answer({ secrets: [{ ...secret, uid: 'u2', name: 'other' }] }, bySecret),
      otherSecret: answer({ secrets: [{ ...secret, uid: 'u2', credentialHash: 'h2' }] }, bySecret),
      otherName: answer({ image: 'registry.example/else:1', secrets: [secret] }, bySecret),
      halfPulled: answer({ isPulledByNode: true }),
      never: answer({ policy: 'NeverVerify' }, bySecret),
      always: answer({ policy: 'AlwaysVerify' }),
      listed: answer({ ...allowed, allowlist: ['registry.example/team/*'] }),
      listedByName: answer({ ...allowed, allowlist: ['registry.example/team/app'] }),
      unlisted: answer({ ...allowed, allowlist: ['registry.example/teams/*'] }),
    },
    {
      ...{ preloaded: 'free', everybodys: 'free', without: 'pull', sameSecret: 'by s', sameCredentials: 'by other' },
      ...{ otherSecret: 'pull', otherName: 'pull', halfPulled: 'pull', never: 'free', always: 'pull' },
      ...{ listed: 'free', listedByName: 'free', unlisted: 'pull' },
    },
  )
})

/** A registry that gives the image to whoever knows the password, and a node that keeps it. */
class Node {
  readonly pulls: string[] = []
  readonly folder: string
  images: ImageManager
  #isPresent = false

  constructor(folder: string) {
    this.folder = folder
    this.images = this.restart()
  }

  restart(): ImageManager {
    const clock = manualClock()
    const record = (): void => undefined
    const events: EventRecorder = { record, from: () => events }
    const info = { id: 'sha256:1', sizeBytes: 1 }
    const runtime = {
      imageStatus: async () => (this.#isPresent ? info : undefined),
      listImages: async () => (this.#isPresent ? [info] : []),
      pullImage: async (_image: string, { auth }: { auth?: { password?: string } }) => {
        this.pulls.push(auth?.password ?? 'nothing')
        if (auth?.password !== 'right') throw new Error('denied')
        this.#isPresent = true
        return image
      },
    } as unknown as ContainerRuntime
    this.images = createImageManager({
      ...{ runtime, clock, events, settings: settingsOf({ registryPullQPS: 0 }) },
      records: new PullRecords(this.folder, clock),
    })
    return this.images
  }

  /** What comes of a pod with such a secret. */
  async use(uid: string, password?: string, imagePullPolicy = 'IfNotPresent'): Promise<string> {
    const auths = { 'registry.example': { username: 'u', password } }
    const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') }
    const metadata = { name: 'key', namespace: 'ns', uid }
    const imagePullSecrets = password === undefined ? [] : [{ name: 'key' }]
    const pod = { metadata: { name: 'p', namespace: 'ns', uid }, spec: { containers: [], imagePullSecrets } }
    const objects = { get: async () => ({ metadata, data }) }
    const container = { name: 'c', image, imagePullPolicy }
    const request = { pod: pod as unknown as Pod, container, objects, signal: new AbortController().signal }
    return this.images.ensure(request as never).then(
      () => 'runs',
      (error: Error) => error.message,
    )
  }
}

async function nodeFor(t: TestContext): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-images-'))
  t.after(() => rm(folder, { recursive: true }))
  return new Node(folder)
}

test('an image that came with a secret is not for pods without', async (t) => {
  const node = await nodeFor(t)
  assert.equal(await node.use('a', 'right'), 'runs')
  assert.equal(await node.use('b'), 'denied')
  assert.equal(await node.use('c', 'wrong'), 'denied')
  assert.deepEqual(node.pulls.splice(0), ['right', 'nothing', 'wrong'])
  assert.equal(await node.use('d', 'right'), 'runs')
  assert.equal(await node.use('a', 'renewed'), 'runs', 'the secret that it came with')
  assert.deepEqual(node.pulls, [], 'what is as good as known needs no pull')
  assert.match(
    await node.use('e', undefined, 'Never'),
    /^Container image ".*" is present with pull policy of Never but/,
  )
})

test('who may use an image is known after a restart, and forgotten with the image', async (t) => {
  const node = await nodeFor(t)
  await node.use('a', 'right')
  node.restart()
  assert.equal(await node.use('b'), 'denied')
  assert.equal(await node.use('c', 'right'), 'runs')
  const pulled = join(node.folder, 'image_manager', 'pulled')
  assert.equal((await readdir(pulled)).length, 1)
  await new PullRecords(node.folder, manualClock()).prune(['sha256:other'])
  assert.deepEqual(await readdir(pulled), [])
})
