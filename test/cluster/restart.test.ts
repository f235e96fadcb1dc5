/**
 * Goal: the cluster's process may die at any time without anybody who uses the containers noticing. Method: kill it with
 * SIGKILL under traffic, start it again, and compare what kubectl and containerd show.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { startCluster } from './harness/cluster.ts'
import type { Cluster } from './harness/cluster.ts'
import { webManifest } from './harness/manifests.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { nodePortUrl, requestsDuring } from './harness/requests.ts'

let cluster: Cluster

before(async () => {
  if (skip !== false) return
  cluster = await startCluster()
  await cluster.loadImages()
  await cluster.kubectl.apply(webManifest({ replicas: 2 }))
  await cluster.kubectl.output('rollout', 'status', 'deployment/web', '--timeout=120s')
})

after(async () => {
  if (skip === false) await cluster[Symbol.asyncDispose]()
})

/** What must be the same afterwards: every object's identity and every container with its count of restarts. */
async function identities(): Promise<string[]> {
  const objects = await cluster.kubectl.list('deployments,replicasets,pods,services,configmaps,secrets')
  const pods = await cluster.kubectl.list<Pod>('pods')
  const containers = pods.flatMap((pod) => pod.status?.containerStatuses ?? [])
  return [
    ...objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.uid}`),
    ...containers.map(({ containerID, restartCount }) => `${containerID} ${restartCount}`),
  ].sort()
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`containers go on serving through ${signal}, and up adopts them`, { skip }, async () => {
    const earlier = await identities()
    const traffic = await requestsDuring(await nodePortUrl(cluster.kubectl, 'web'), async () => {
      await cluster.signal(signal)
      await cluster.up()
      await cluster.kubectl.output('wait', '--for=condition=Ready', 'node/node-1', '--timeout=30s')
      await cluster.kubectl.output('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=30s')
    })
    assert.deepEqual(traffic.failures, [])
    assert.deepEqual(await identities(), earlier)
  })
}

test('the adopted cluster still works', { skip }, async () => {
  await cluster.kubectl.output('scale', 'deployment/web', '--replicas=3')
  await cluster.kubectl.output('rollout', 'status', 'deployment/web', '--timeout=60s')
})
