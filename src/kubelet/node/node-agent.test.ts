import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#api/meta/status.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { settingsOf } from '../configuration/kubelet-settings.ts'
import { simulatedNode } from '../simulated/simulated-node.ts'
import { NodeAgent, type NodeAgentOptions } from './node-agent.ts'

test('a node that is not to register itself waits for its object, and keeps that', async () => {
  const clock = manualClock()
  const asked: string[] = []
  const stored = new Map<string, object>()
  const resource = {
    get: async (name: string) => {
      asked.push('get')
      const node = stored.get(name)
      if (node === undefined) throw new StatusError('NotFound', 'nodes "n" not found')
      return node
    },
    create: async () => {
      asked.push('create')
      return {}
    },
    patch: async (name: string, _patch: object, { subresource }: { subresource?: string } = {}) => {
      asked.push(`patch ${subresource}`)
      return stored.get(name)
    },
  }
  const lease = { get: async () => ({ metadata: {}, spec: {} }), update: async () => ({}), patch: async () => ({}) }
  const clientOf = ({ plural }: { plural: string }): object => (plural === 'leases' ? lease : resource)
  const events = { record: () => undefined }
  const runtime = { status: async () => ({ runtimeReady: true, networkReady: true }), listImages: async () => [] }
  const settings = settingsOf({ registerNode: false })
  const facts = await simulatedNode().machine.facts()
  const description = { name: 'n', addresses: [], facts, runtime: { name: 'r', version: '1' }, kubeletVersion: 'v' }
  const agent = new NodeAgent({
    ...{ clock, log: silentLog, events, runtime, client: { resource: clientOf } },
    ...{ pressure: () => new Set(), isShuttingDown: () => false, volumesInUse: () => [], deviceCounts: () => [] },
    description: { ...description, labels: {}, taints: [], settings },
  } as unknown as NodeAgentOptions)
  const started = agent.start()
  await clock.advance(50)
  assert.deepEqual(asked.splice(0), ['get'])
  stored.set('n', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', uid: 'u' }, spec: {} })
  await clock.advance(1_000)
  await started
  assert.deepEqual(asked.slice(0, 2), ['get', 'patch status'])
  assert.ok(!asked.includes('patch undefined'), 'its labels are not touched')
  await agent.stop()
})
