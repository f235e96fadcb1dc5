/**
 * Goal: several servers over one etcd are one cluster, and it outlives each of them. Method: two `coracle server`, the
 * real kubectl against both, and kill -9 of the one whose controllers work.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ReplicaSet } from '#api/types/apps.v1.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { startServer, type Server } from './harness/cluster.ts'
import { startEtcd, type Etcd } from './harness/etcd.ts'

const folder = mkdtempSync(join(tmpdir(), 'coracle-servers-'))
let etcd: Etcd
let first: Server
let second: Server

function start(name: string): Promise<Server> {
  const flags = ['--etcd-servers', etcd.servers.join(',')]
  return startServer({ storage: 'etcd', dataDir: join(folder, name), flags })
}

before(async () => {
  etcd = await startEtcd()
  first = await start('first')
})

after(async () => {
  await first[Symbol.asyncDispose]()
  await second?.[Symbol.asyncDispose]()
  await etcd[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'x.test/x:1' }] } },
  },
})

const leader = async ({ kubectl }: Server): Promise<string | undefined> =>
  (await kubectl.get<Lease>('lease', '--namespace', 'kube-system', 'kube-controller-manager')).spec.holderIdentity

test('a server with keys of its own is refused and told what to copy', async () => {
  await assert.rejects(start('second'), /copy ca\.pem and service-account\.key/)
})

test('with the keys of the first a second server joins', async () => {
  rmSync(join(folder, 'second'), { recursive: true })
  mkdirSync(join(folder, 'second/pki'), { recursive: true, mode: 0o700 })
  for (const name of ['ca.pem', 'service-account.key']) {
    cpSync(join(folder, 'first/pki', name), join(folder, 'second/pki', name))
  }
  second = await start('second')
})

test('what is written to one is read from the other at once', async () => {
  for (let i = 0; i < 10; i++) {
    await first.kubectl.output('create', 'configmap', `c${i}`, `--from-literal=n=${i}`)
    const read = await second.kubectl.get<ConfigMap>('configmap', `c${i}`)
    assert.equal(read.data?.['n'], String(i))
  }
  await second.kubectl.output('delete', 'configmap', 'c0')
  assert.match((await first.kubectl.run(['get', 'configmap', 'c0'])).stderr, /NotFound/)
})

test('a watch on one sees what is written to the other', async () => {
  // Not by name: kubectl hides the first event of such a watch, which may be the change.
  const one = ['configmaps', '--field-selector', 'metadata.name=c1']
  const seen = second.kubectl.waitFor<ConfigMap>(one, ({ data }) => data?.['n'] === 'changed', 20_000)
  await first.kubectl.output('patch', 'configmap', 'c1', '--patch', '{"data":{"n":"changed"}}')
  await seen
})

test('the controllers of one work for both', async () => {
  await second.kubectl.apply(deployment('before'))
  const sets = ['replicasets', '--selector', 'app=before']
  await first.kubectl.waitFor<ReplicaSet>(sets, ({ status }) => status?.replicas === 2, 20_000)
  assert.equal(await leader(first), await leader(second))
})

test('a leader that is killed is replaced within its lease', { timeout: 40_000 }, async () => {
  const before = await leader(second)
  await first.stop('SIGKILL')
  await second.kubectl.apply(deployment('after'))
  const sets = ['replicasets', '--selector', 'app=after']
  await second.kubectl.waitFor<ReplicaSet>(sets, ({ status }) => status?.replicas === 2, 30_000)
  assert.notEqual(await leader(second), before)
})

test('a leader that is stopped gives its lease up', async () => {
  assert.equal(await second.stop(), 0)
  await second[Symbol.asyncDispose]()
  second = await start('second')
  const lease = ['lease', '--namespace', 'kube-system', 'kube-controller-manager']
  await second.kubectl.waitFor<Lease>(lease, ({ spec }) => (spec.holderIdentity ?? '') !== '', 10_000)
})

test('the servers go on when etcd was away', { timeout: 40_000 }, async () => {
  await etcd.kill()
  const failed = await second.kubectl.run(['get', 'configmap', 'c1', '--request-timeout=2s'])
  assert.notEqual(failed.code, 0)
  etcd.start()
  await second.kubectl.output('create', 'configmap', 'again')
  assert.match(await second.kubectl.output('get', 'configmap', 'again', '-o', 'name'), /configmap\/again/)
})
