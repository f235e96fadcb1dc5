/**
 * Goal: what conformance promises of probes. Method: one cluster whose kubelet waits at most a second between restarts,
 * and servers whose health is a file that a script removes. What must not happen is waited out by a second pod, whose own
 * probes take longer.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'node:test'
import type { Pod, Probe } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster({
  async flags(folder) {
    const path = join(folder, 'kubelet.yaml')
    await writeFile(
      path,
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncrashLoopBackOff: { maxContainerRestartPeriod: 1s }\n',
    )
    return ['--config', path]
  },
})
const options = { skip, concurrency: 6 }
const area = 'common/node/container_probe'
const image = 'coracle.test/echo:1'
const often = { periodSeconds: 1, failureThreshold: 1 }
const path = '/ready'
/** A server that is healthy for so many seconds. */
const serverFor = (seconds: number): string => `(sleep ${seconds}; rm /srv/ready) & exec nginx`
const restarts = (pod: Pod): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0

/** Runs a container with a liveness probe until it was restarted so many times. */
async function restartedBy(space: TestSpace, livenessProbe: Probe, script: string, times = 1): Promise<void> {
  const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: 0 } as const
  await space.create({ script, container: { image, livenessProbe }, spec })
  for (let count = 1; count <= times; count++) {
    const pod = await space.waitFor(pods, 'pod', (seen) => restarts(seen) >= count)
    assert.equal(restarts(pod), count, 'the count of restarts goes up by one')
  }
}

/** Runs a container with a liveness probe, and sees that it lives longer than one whose probe fails. */
async function livesOn(space: TestSpace, livenessProbe: Probe): Promise<void> {
  const spec = { restartPolicy: 'Always' } as const
  await space.create({ name: 'good', script: serverFor(1000), container: { image, livenessProbe }, spec })
  await space.waitFor(pods, 'good', isReady)
  await restartedBy(space, { ...often, exec: { command: ['false'] } }, serverFor(1000), 2)
  const pod = await space.of(pods).get('good')
  assert.deepEqual([restarts(pod), isReady(pod)], [0, true])
}

describe('liveness', options, () => {
  behaviour(area, 'Probing container should be restarted with a exec "cat /tmp/health" liveness probe', async (t) => {
    const space = await shared.space(t)
    const script = 'echo ok > /tmp/health; sleep 3; rm /tmp/health; sleep 600'
    await restartedBy(space, { ...often, initialDelaySeconds: 1, exec: { command: ['cat', '/tmp/health'] } }, script)
    assert.match(
      await space.waitForEvent('pod', 'Unhealthy'),
      /^Liveness probe failed: cat: can't open '\/tmp\/health'/,
    )
  })

  behaviour(
    area,
    'Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe',
    async (t) => {
      await livesOn(await shared.space(t), { ...often, exec: { command: ['cat', '/srv/ready'] } })
    },
  )

  behaviour(area, 'Probing container should be restarted with a /healthz http liveness probe', async (t) => {
    const space = await shared.space(t)
    await restartedBy(space, { ...often, initialDelaySeconds: 1, httpGet: { path, port: 8080 } }, serverFor(3))
    assert.match(
      await space.waitForEvent('pod', 'Unhealthy', /statuscode: 404/),
      /^Liveness probe failed: HTTP probe failed/,
    )
  })

  behaviour(area, 'Probing container should *not* be restarted with a /healthz http liveness probe', async (t) => {
    await livesOn(await shared.space(t), { ...often, initialDelaySeconds: 1, httpGet: { path: '/here', port: 8080 } })
  })

  behaviour(area, 'Probing container should *not* be restarted with a tcp:8080 liveness probe', async (t) => {
    await livesOn(await shared.space(t), { ...often, initialDelaySeconds: 1, tcpSocket: { port: 8080 } })
  })

  behaviour(area, 'Probing container should be restarted with a GRPC liveness probe', async (t) => {
    const space = await shared.space(t)
    await restartedBy(space, { ...often, initialDelaySeconds: 1, grpc: { port: 2333 } }, serverFor(1000))
  })

  behaviour(area, 'Probing container should *not* be restarted with a GRPC liveness probe', async (t) => {
    await livesOn(await shared.space(t), { ...often, initialDelaySeconds: 1, grpc: { port: 5000 } })
  })

  behaviour(area, 'Probing container should have monotonically increasing restart count', async (t) => {
    const space = await shared.space(t)
    await restartedBy(space, { ...often, initialDelaySeconds: 1, httpGet: { path, port: 8080 } }, serverFor(2), 5)
  })
})

const conditionTime = (pod: Pod, type: string): number =>
  Date.parse(pod.status?.conditions?.find((each) => each.type === type)?.lastTransitionTime ?? '')

describe('readiness', options, () => {
  behaviour(
    area,
    'Probing container with readiness probe should not be ready before initial delay and never restart',
    async (t) => {
      const space = await shared.space(t)
      const readinessProbe = { httpGet: { path, port: 8080 }, initialDelaySeconds: 4, periodSeconds: 1 }
      const pod = await space.start({ container: { image, readinessProbe } })
      const startedMs = Date.parse(pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '')
      const delayMs = conditionTime(pod, 'Ready') - startedMs
      assert.ok(delayMs >= 4_000 - 1_000, `ready ${delayMs} ms after its start`)
      assert.equal(restarts(pod), 0)
    },
  )

  behaviour(
    area,
    'Probing container with readiness probe that fails should never be ready and never restart',
    async (t) => {
      const space = await shared.space(t)
      const readinessProbe = { httpGet: { path: '/', port: 8081 }, periodSeconds: 1 }
      await space.create({ name: 'bad', container: { image, readinessProbe }, spec: { restartPolicy: 'Always' } })
      await space.waitForEvent('bad', 'Unhealthy', /^Readiness probe failed: Get "http:.*connection refused/)
      await restartedBy(space, { ...often, exec: { command: ['false'] } }, serverFor(1000), 2)
      const pod = await space.of(pods).get('bad')
      assert.deepEqual([isReady(pod), restarts(pod), pod.status?.phase], [false, 0, 'Running'])
    },
  )
})
