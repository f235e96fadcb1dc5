/**
 * Goal: what conformance promises of ConfigMaps, Secrets and the downward API in the environment of containers. Method:
 * one cluster; each pod prints what it was given.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { configMaps } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'

const shared = sharedCluster()

describe('environment', { skip, concurrency: 6 }, () => {
  behaviour('common/node/configmap', 'ConfigMap should be consumable via environment variable', async (t) => {
    const space = await shared.space(t)
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { 'data-1': 'value-1' } })
    const valueFrom = { configMapKeyRef: { name: 'map', key: 'data-1' } }
    const log = await space.output({ script: 'env', container: { env: [{ name: 'CONFIG_DATA_1', valueFrom }] } })
    assert.match(log, /^CONFIG_DATA_1=value-1$/m)
  })
})
