import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import { NodeClaims } from './node-claims.ts'
import type { DraDrivers } from './dra-drivers.ts'

const driver = 'gpu.vendor.example'

function pod(uid: string, wants: string = 'mine'): Pod {
  const metadata = { name: uid, namespace: 'default', uid, resourceVersion: '1', creationTimestamp: '' }
  const resources = { claims: [{ name: 'card' }] }
  const spec = {
    containers: [{ name: 'main', resources }],
    resourceClaims: [{ name: 'card', resourceClaimName: wants }],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec }
}

interface World {
  readonly calls: string[]
  readonly claims: NodeClaims
  readonly file: string
  reservedFor: readonly string[]
  trouble: string
  /** As after a restart of the kubelet. */
  again(): Promise<NodeClaims>
}

async function world(t: TestContext): Promise<World> {
  const rootDir = mkdtempSync(join(tmpdir(), 'coracle-claims-'))
  t.after(() => rmSync(rootDir, { recursive: true }))
  const calls: string[] = []
  const get = async (name: string): Promise<object> => ({
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    status: {
      allocation: { devices: { results: [{ request: 'gpu', driver, pool: 'p', device: 'd' }] } },
      reservedFor: self.reservedFor.map((uid) => ({ resource: 'pods', name: uid, uid })),
    },
  })
  const known = {
    async prepare({ name }: { readonly name: string }) {
      calls.push(`prepare ${name}`)
      if (self.trouble !== '') throw new Error(self.trouble)
      return [{ pool: 'p', device: 'd', requests: ['gpu'], cdiDevices: [`vendor/gpu=${name}`] }]
    },
    async unprepare({ name }: { readonly name: string }) {
      calls.push(`unprepare ${name}`)
      if (self.trouble !== '') throw new Error(self.trouble)
    },
  }
  const client = { resource: () => ({ get }) } as unknown as Client
  const health = { of: (...names: readonly string[]) => `${names.join('/')} is well` }
  const drivers = { get: () => known, health } as unknown as DraDrivers
  const again = async (): Promise<NodeClaims> => {
    const claims = new NodeClaims({ client, drivers, rootDir })
    await claims.load()
    return claims
  }
  const file = join(rootDir, 'dra_manager_state')
  const self: World = { calls, file, reservedFor: ['p', 'q'], trouble: '', again, claims: await again() }
  return self
}

test('a claim is made ready for each pod, and let go with the last', async (t) => {
  const { claims, calls } = await world(t)
  await claims.prepare(pod('p'))
  await claims.prepare(pod('q'))
  const [main] = pod('p').spec.containers
  assert.deepEqual(claims.grant(pod('p'), main as never).cdiDevices, ['vendor/gpu=mine'])
  await claims.release('p')
  assert.equal(calls.includes('unprepare mine'), false)
  await claims.release('q')
  await claims.release('q')
  assert.deepEqual(calls, ['prepare mine', 'prepare mine', 'unprepare mine'])
})

test('only pods that the claim is reserved for may use it', async (t) => {
  const self = await world(t)
  self.reservedFor = ['q']
  await assert.rejects(self.claims.prepare(pod('p')), {
    message: 'pod default/p (p) is not allowed to use resource claim mine',
  })
  assert.deepEqual(self.calls, [])
})

test('after a crash a claim is still let go, also one whose driver failed half-way', async (t) => {
  const self = await world(t)
  self.trouble = 'on fire'
  await assert.rejects(self.claims.prepare(pod('p')), { message: 'on fire' })
  assert.match(readFileSync(self.file, 'utf8'), /"podUids":\["p"\]/)
  const later = await self.again()
  await assert.rejects(later.sweep(new Set()), { message: 'on fire' })
  self.trouble = ''
  await later.sweep(new Set(['p']))
  await later.sweep(new Set())
  assert.deepEqual(self.calls, ['prepare mine', 'unprepare mine', 'unprepare mine'])
  assert.equal(readFileSync(self.file, 'utf8'), '{"claims":[]}\n')
})

test('a claim that has still to be made from a template is waited for', async (t) => {
  const { claims } = await world(t)
  const waiting = pod('p')
  const templated = {
    ...waiting,
    spec: { ...waiting.spec, resourceClaims: [{ name: 'card', resourceClaimTemplateName: 't' }] },
  }
  await assert.rejects(claims.prepare(templated), { message: 'resource claim for card has not been created yet' })
  await claims.prepare({
    ...templated,
    status: { resourceClaimStatuses: [{ name: 'card', resourceClaimName: 'card-x' }] },
  })
  await claims.prepare({ ...templated, status: { resourceClaimStatuses: [{ name: 'card' }] } })
})

test('a container has the devices that stand for its extended resources', async (t) => {
  const { claims, calls } = await world(t)
  const containers = [{ name: 'main' }, { name: 'other' }]
  const to = (requestName: string) => ({ containerName: 'main', resourceName: 'vendor.example/gpu', requestName })
  const subject: Pod = {
    ...pod('p'),
    spec: { containers },
    status: { extendedResourceClaimStatus: { resourceClaimName: 'made', requestMappings: [to('gpu')] } },
  }
  await claims.prepare(subject)
  const [main, other] = containers
  assert.deepEqual(claims.grant(subject, main as never).cdiDevices, ['vendor/gpu=made'])
  assert.deepEqual(claims.grant(subject, other as never).cdiDevices, [])
  await claims.release('p')
  assert.deepEqual(calls, ['prepare made', 'unprepare made'])
})

test('a container tells how the devices are that it has', async (t) => {
  const { claims } = await world(t)
  const subject = pod('p')
  await claims.prepare(subject)
  const [main] = subject.spec.containers
  const told = [{ name: 'claim:card', resources: [{ resourceID: 'vendor/gpu=mine', health: `${driver}/p/d is well` }] }]
  assert.deepEqual(claims.health(subject, main as never), told)
  const asking = { ...main, resources: { claims: [{ name: 'card', request: 'other' }] } }
  assert.deepEqual(claims.health(subject, asking as never), [])
})
