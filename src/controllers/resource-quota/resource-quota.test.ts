import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ResourceQuota } from '#api/types/core.v1.ts'
import { countedResource, decideQuotaStatus, isLower, isSameUsage } from './decide.ts'

test('each name in a quota counts one resource', () => {
  const names = {
    pods: 'pods',
    'requests.cpu': 'pods',
    'requests.nvidia.com/gpu': 'pods',
    'services.nodeports': 'services',
    'requests.storage': 'persistentvolumeclaims',
    'gold.storageclass.storage.k8s.io/requests.storage': 'persistentvolumeclaims',
    'gpu.deviceclass.resource.k8s.io/devices': 'resourceclaims.resource.k8s.io',
    'count/deployments.apps': 'deployments.apps',
    secrets: 'secrets',
  }
  for (const [name, resource] of Object.entries(names)) assert.equal(countedResource(name), resource, name)
})

test('a recount says what is there, and nothing of what the quota does not limit', () => {
  const pod = (cpu: string, phase: string): object => ({
    metadata: { name: cpu },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] },
    status: { phase },
  })
  const all: Record<string, readonly object[]> = {
    pods: [pod('200m', 'Running'), pod('1', 'Pending'), pod('4', 'Succeeded')],
    secrets: [{ metadata: { name: 's' } }],
  }
  const hard = { pods: '5', 'requests.cpu': '2', 'count/pods': '9', 'count/jobs.batch': '1' }
  const quota = { metadata: { name: 'q' }, spec: { hard } } as unknown as ResourceQuota
  const status = decideQuotaStatus(quota, (resource) => (all[resource] ?? []) as readonly KubernetesObject[])
  assert.deepEqual(status, {
    hard,
    used: { pods: '2', 'requests.cpu': '1200m', 'count/pods': '3', 'count/jobs.batch': '0' },
  })
})

test('claims count the devices that they can come to hold, by class', () => {
  const requests = [
    { name: 'two', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
    { name: 'all', exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
    {
      name: 'either',
      firstAvailable: [
        { name: 'large', deviceClassName: 'gpu', count: 1 },
        { name: 'small', deviceClassName: 'gpu', count: 4 },
      ],
    },
  ]
  const claim = { metadata: { name: 'c' }, spec: { devices: { requests } } }
  const hard = { 'gpu.deviceclass.resource.k8s.io/devices': '9', 'nic.deviceclass.resource.k8s.io/devices': '40' }
  const quota = { metadata: { name: 'q' }, spec: { hard } } as unknown as ResourceQuota
  const status = decideQuotaStatus(quota, () => [claim as unknown as KubernetesObject])
  assert.deepEqual(Object.values(status.used ?? {}), ['6', '32'])
})

test('amounts are compared as numbers', () => {
  assert.ok(isSameUsage({ cpu: '1' }, { cpu: '1000m' }))
  assert.ok(!isSameUsage({ cpu: '1' }, { cpu: '1', pods: '0' }))
  assert.ok(!isSameUsage(undefined, {}))
  assert.ok(isLower({ cpu: '900m' }, { cpu: '1' }))
  assert.ok(!isLower({ cpu: '1', pods: '2' }, { cpu: '1', pods: '1' }))
})
