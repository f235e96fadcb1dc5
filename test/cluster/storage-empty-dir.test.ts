/**
 * Goal: what conformance promises of empty folders, of wrapper volumes beside each other and of paths inside volumes.
 * Method: one cluster; pods write, look and print what they see.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { configMaps, pods, replicationControllers, secrets } from '#api/types/resources.ts'
import type { Volume } from '#api/types/core.v1.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const area = 'common/storage/empty_dir'

interface WriteCase {
  readonly title: string
  readonly user: number
  readonly mode: string
  readonly medium: '' | 'Memory'
}

const writes: readonly WriteCase[] = [
  { title: 'EmptyDir volumes should support (root,0644,tmpfs)', user: 0, mode: '644', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (root,0666,tmpfs)', user: 0, mode: '666', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (root,0777,tmpfs)', user: 0, mode: '777', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (non-root,0644,tmpfs)', user: 1001, mode: '644', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (non-root,0666,tmpfs)', user: 1001, mode: '666', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (non-root,0777,tmpfs)', user: 1001, mode: '777', medium: 'Memory' },
  { title: 'EmptyDir volumes should support (root,0644,default)', user: 0, mode: '644', medium: '' },
  { title: 'EmptyDir volumes should support (root,0666,default)', user: 0, mode: '666', medium: '' },
  { title: 'EmptyDir volumes should support (root,0777,default)', user: 0, mode: '777', medium: '' },
  { title: 'EmptyDir volumes should support (non-root,0644,default)', user: 1001, mode: '644', medium: '' },
  { title: 'EmptyDir volumes should support (non-root,0666,default)', user: 1001, mode: '666', medium: '' },
  { title: 'EmptyDir volumes should support (non-root,0777,default)', user: 1001, mode: '777', medium: '' },
]

const folders = [
  { title: 'EmptyDir volumes volume on tmpfs should have the correct mode', medium: 'Memory' },
  { title: 'EmptyDir volumes volume on default medium should have the correct mode', medium: '' },
] as const

/** A pod whose one volume, an empty folder, is at `/v`. */
function withEmptyDir(script: string, medium: string, securityContext: object = {}): TestPod {
  const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }], securityContext }
  return { script, container, spec: { volumes: [{ name: 'v', emptyDir: { medium } }] } }
}

/** What busybox says the file system is, as far as it matters. */
const mediumOf = 'case $(stat -f -c %T /v) in tmpfs) echo Memory;; *) echo;; esac'

describe('empty folders', { skip, concurrency: 6 }, () => {
  for (const { title, user, mode, medium } of writes) {
    behaviour(area, title, async (t) => {
      const script = `set -e; echo written > /v/f; chmod ${mode} /v/f; cat /v/f; stat -c '%a %u' /v/f; ${mediumOf}`
      const log = await (await shared.space(t)).output(withEmptyDir(script, medium, { runAsUser: user }))
      assert.equal(log, `written\n${mode} ${user}\n${medium}\n`)
    })
  }

  for (const { title, medium } of folders) {
    behaviour(area, title, async (t) => {
      const log = await (await shared.space(t)).output(withEmptyDir(`stat -c %a /v; ${mediumOf}`, medium))
      assert.equal(log, `777\n${medium}\n`)
    })
  }

  behaviour(area, 'EmptyDir volumes pod should support shared volumes between containers', async (t) => {
    const space = await shared.space(t)
    const volumeMounts = [{ name: 'v', mountPath: '/v' }]
    const sub = { name: 'sub', image: 'coracle.test/busybox:1', volumeMounts }
    const reader = 'until [ -f /v/done ]; do sleep 0.1; done; cat /v/f'
    const log = await space.output({
      spec: {
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          { ...sub, name: 'main', command: ['sh', '-c', reader] },
          { ...sub, command: ['sh', '-c', 'echo hello from the other > /v/f; touch /v/done'] },
        ],
      },
    })
    assert.equal(log, 'hello from the other\n')
  })
})

describe('wrapper volumes', { skip }, () => {
  behaviour('storage/empty_dir_wrapper', 'EmptyDir wrapper volumes should not conflict', async (t) => {
    const space = await shared.space(t)
    await space.of(secrets).create({ metadata: { name: 'secret' }, data: { a: Buffer.from('s').toString('base64') } })
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { a: 'm' } })
    const volumes: Volume[] = [
      { name: 'secret', secret: { secretName: 'secret' } },
      { name: 'map', configMap: { name: 'map' } },
    ]
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))
    const log = await space.output({ script: 'cat /secret/a /map/a', container: { volumeMounts }, spec: { volumes } })
    assert.equal(log, 'sm')
  })

  behaviour(
    'storage/empty_dir_wrapper',
    'EmptyDir wrapper volumes should not cause race condition when used for configmaps',
    async (t) => {
      const space = await shared.space(t)
      const names = Array.from({ length: 50 }, (_value, index) => `map-${index}`)
      await Promise.all(names.map((name) => space.of(configMaps).create({ metadata: { name }, data: { a: name } })))
      const volumes: Volume[] = names.map((name) => ({ name, configMap: { name } }))
      const volumeMounts = names.map((name) => ({ name, mountPath: `/etc/${name}` }))
      const main = { name: 'main', image: 'coracle.test/busybox:1', command: ['sleep', '3600'], volumeMounts }
      await space.of(replicationControllers).create({
        metadata: { name: 'many' },
        spec: {
          replicas: 5,
          selector: { app: 'many' },
          template: {
            metadata: { labels: { app: 'many' } },
            spec: { containers: [main], volumes, terminationGracePeriodSeconds: 0 },
          },
        } as never,
      })
      await space.waitFor(replicationControllers, 'many', ({ status }) => status?.readyReplicas === 5)
      const { items } = await space.of(pods).list()
      assert.equal(items.filter(isReady).length, 5)
    },
  )
})

interface SubPathCase {
  readonly title: string
  readonly volume: Volume
  readonly mountPath?: string
}

const downwardAPI = { items: [{ path: 'file', fieldRef: { fieldPath: "metadata.annotations['text']" } }] }
const subPaths: readonly SubPathCase[] = [
  {
    title: 'Subpath Atomic writer volumes should support subpaths with secret pod',
    volume: { name: 'v', secret: { secretName: 'source' } },
  },
  {
    title: 'Subpath Atomic writer volumes should support subpaths with configmap pod',
    volume: { name: 'v', configMap: { name: 'source' } },
  },
  {
    title: 'Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file',
    volume: { name: 'v', configMap: { name: 'source' } },
    mountPath: '/etc/nsswitch.conf',
  },
  {
    title: 'Subpath Atomic writer volumes should support subpaths with downward pod',
    volume: { name: 'v', downwardAPI },
  },
  {
    title: 'Subpath Atomic writer volumes should support subpaths with projected pod',
    volume: { name: 'v', projected: { sources: [{ configMap: { name: 'source' } }] } },
  },
]

async function makeSource(space: TestSpace): Promise<void> {
  const metadata = { name: 'source' }
  await space.of(secrets).create({ metadata, data: { file: Buffer.from('the text\n').toString('base64') } })
  await space.of(configMaps).create({ metadata, data: { file: 'the text\n' } })
}

describe('paths inside volumes', { skip, concurrency: 6 }, () => {
  for (const { title, volume, mountPath = '/file' } of subPaths) {
    behaviour('storage/subpath', title, async (t) => {
      const space = await shared.space(t)
      await makeSource(space)
      const log = await space.output({
        annotations: { text: 'the text\n' },
        script: `cat ${mountPath}; [ -f ${mountPath} ] && ls ${mountPath}`,
        container: { volumeMounts: [{ name: 'v', mountPath, subPath: 'file' }] },
        spec: { volumes: [volume] },
      })
      assert.equal(log, `the text\n${mountPath}\n`)
    })
  }
})
