import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { ContainerBehaviour } from '../simulated/behaviour.ts'
import type { NamespaceOptions } from '../cri/sandbox.ts'
import { PodWorld } from './pod-world.case.ts'

/** Behaviour by container name. */
function containers(byName: Readonly<Record<string, ContainerBehaviour>>) {
  return { container: ({ name }: { readonly name: string }) => byName[name] ?? {} }
}

test('a pod starts, is ready, has its address, and its events are upstream’s', async () => {
  const world = new PodWorld()
  world.create('web', {})
  await world.settle()
  assert.equal(world.summary('web'), 'Running c=running#0+')
  const pod = world.get('web') as Pod
  assert.deepEqual(
    [pod.status?.podIP, pod.status?.hostIP, pod.status?.qosClass],
    ['10.1.0.2', '192.168.0.1', 'BestEffort'],
  )
  assert.equal(podCondition(pod, 'Ready')?.status, 'True')
  assert.deepEqual(world.events, [
    'Pulled: Container image "app:1" already present on machine and can be accessed by the pod',
    'Created: Container created',
    'Started: Container started',
  ])
  await world.stop()
})

test('a crashing container comes back at once, then after 10 s and 20 s, and says so', async () => {
  const world = new PodWorld(containers({ c: { exitAfterMs: 100, exitCode: 3 } }))
  world.create('crash', {})
  const seen: string[] = []
  const note = (): void => {
    const line = `${world.clock.monotonic()}: ${world.summary('crash')}`
    if (seen.at(-1)?.split(': ')[1] !== line.split(': ')[1]) seen.push(line)
  }
  for (let step = 0; step < 320; step++) {
    await world.settle(100)
    note()
  }
  assert.deepEqual(seen, [
    '100: Running c=running#1+',
    '200: Running c=CrashLoopBackOff#1',
    '10200: Running c=running#2+',
    '10300: Running c=CrashLoopBackOff#2',
    '30300: Running c=running#3+',
    '30400: Running c=CrashLoopBackOff#3',
  ])
  const { state, lastState } = world.get('crash')?.status?.containerStatuses?.[0] ?? {}
  assert.equal(state?.waiting?.message, 'back-off 40s restarting failed container=c pod=crash_ns(uid-crash)')
  assert.equal(lastState?.terminated?.exitCode, 3)
  const backOffs = world.events.filter((event) => event.startsWith('BackOff'))
  assert.deepEqual(
    new Set(backOffs),
    new Set(['BackOff: Back-off restarting failed container c in pod crash_ns(uid-crash)']),
  )
  assert.equal(backOffs.length, 3)
  await world.stop()
})

test('init containers run one after the other, a sidecar beside them, and the job ends with its main container', async () => {
  const world = new PodWorld(
    containers({ one: { exitAfterMs: 1000 }, two: { exitAfterMs: 1000 }, main: { exitAfterMs: 1000 } }),
  )
  world.create('job', {
    restartPolicy: 'Never',
    initContainers: [
      { name: 'one', image: 'i' },
      { name: 'side', image: 'i', restartPolicy: 'Always' },
      { name: 'two', image: 'i' },
    ],
    containers: [{ name: 'main', image: 'i' }],
  })
  const seen: string[] = []
  for (const waitMs of [0, 1000, 1000, 1000]) {
    await world.settle(waitMs)
    seen.push(world.summary('job'))
  }
  assert.deepEqual(seen, [
    'Pending one=running#0 side=PodInitializing#0 two=PodInitializing#0 main=PodInitializing#0',
    'Pending one=Completed(0)#0+ side=running#0+ two=running#0 main=PodInitializing#0',
    'Running one=Completed(0)#0+ side=running#0+ two=Completed(0)#0+ main=running#0+',
    'Succeeded one=Completed(0)#0+ side=Completed(0)#0 two=Completed(0)#0+ main=Completed(0)#0',
  ])
  assert.equal(podCondition(world.get('job') as Pod, 'Ready')?.reason, 'PodCompleted')
  await world.stop()
})

test('a pod that is deleted gets its grace period, then its object goes and nothing is left', async () => {
  const world = new PodWorld(containers({ c: { stopDelayMs: 4000, stopExitCode: 7 } }))
  world.create('web', {})
  await world.settle()
  world.askToDelete('web', 30)
  await world.settle(3900)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  assert.deepEqual(world.deleted, [])
  await world.settle(200)
  assert.deepEqual([world.deleted, world.get('web')], [['web'], undefined])
  assert.deepEqual([await world.runtime.listSandboxes(), await world.runtime.listContainers()], [[], []])
  assert.equal(world.events.at(-1), 'Killing: Stopping container c')
  await world.stop()
})

test('a second deletion with a shorter grace period hurries the stop', async () => {
  const world = new PodWorld(containers({ c: { stopDelayMs: 100_000 } }))
  world.create('web', {})
  await world.settle()
  world.askToDelete('web', 60)
  await world.settle(1000)
  world.askToDelete('web', 2)
  await world.settle(2100)
  assert.deepEqual(world.deleted, ['web'])
  await world.stop()
})

test('an image that cannot be pulled: ErrImagePull, then ImagePullBackOff, tried again when its time comes', async () => {
  let isThere = false
  const world = new PodWorld({ hasImage: () => false, pullError: () => (isThere ? undefined : 'no such host') })
  world.create('web', {})
  await world.settle()
  assert.equal(world.summary('web'), 'Pending c=ErrImagePull#0')
  await world.settle(2100)
  assert.equal(world.summary('web'), 'Pending c=ImagePullBackOff#0')
  assert.equal(
    world.get('web')?.status?.containerStatuses?.[0]?.state?.waiting?.message,
    'Back-off pulling image "app:1": ErrImagePull: rpc error: code = Unknown desc = no such host',
  )
  isThere = true
  await world.settle(6000)
  assert.equal(world.summary('web'), 'Pending c=ImagePullBackOff#0')
  await world.settle(2000)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  await world.stop()
})

test('a pod waits for the ConfigMap of its volume and starts when it comes', async () => {
  const world = new PodWorld()
  world.create('web', { volumes: [{ name: 'v', configMap: { name: 'late' } }] })
  await world.settle()
  assert.equal(world.summary('web'), 'Pending c=ContainerCreating#0')
  assert.ok(world.events.includes('FailedMount: MountVolume.SetUp failed for volume "v" : configmap "late" not found'))
  world.putConfigMap('late')
  await world.settle()
  assert.equal(world.summary('web'), 'Running c=running#0+')
  await world.stop()
})

test('a failing readiness probe makes the pod unready, a failing liveness probe restarts it', async () => {
  const broken = new Set<string>()
  const probe = async (spec: { readonly exec?: { readonly command?: readonly string[] | undefined } | undefined }) => {
    const name = spec.exec?.command?.[0] ?? ''
    return { ok: !broken.has(name), message: 'broken' }
  }
  const world = new PodWorld({}, probe)
  const handler = (name: string) => ({
    exec: { command: [name] },
    periodSeconds: 1,
    failureThreshold: 2,
    timeoutSeconds: 1,
  })
  world.create('web', {
    containers: [{ name: 'c', image: 'app:1', readinessProbe: handler('ready'), livenessProbe: handler('live') }],
  })
  await world.settle(100)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  broken.add('ready')
  await world.settle(1000)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  await world.settle(1000)
  assert.equal(world.summary('web'), 'Running c=running#0')
  assert.ok(world.events.includes('Unhealthy: Readiness probe failed: broken'))
  broken.clear()
  await world.settle(1000)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  broken.add('live')
  await world.settle(2000)
  broken.clear()
  assert.equal(world.summary('web'), 'Running c=running#1+')
  assert.ok(world.events.includes('Killing: Container c failed liveness probe, will be restarted'))
  await world.stop()
})

test('a restart of the kubelet finds the pods running and leaves them alone', async () => {
  const world = new PodWorld()
  world.create('web', {})
  await world.settle()
  const before = await world.runtime.listContainers()
  await world.restart()
  await world.settle()
  assert.deepEqual(await world.runtime.listContainers(), before)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  assert.equal(world.events.filter((event) => event.startsWith('Started')).length, 1)
  await world.stop()
})

test('a runtime that has forgotten its containers does not make their restarts forgotten', async () => {
  const world = new PodWorld()
  world.create('web', {})
  await world.settle()
  const [sandbox] = await world.runtime.listSandboxes()
  const restarted = world.restart()
  await world.settle(2_000)
  await restarted
  await world.runtime.removeSandbox(sandbox?.id ?? '')
  await world.settle(60_000)
  assert.equal(world.summary('web'), 'Running c=running#1+')
  await world.stop()
})

test('after a restart, pods that the API does not know any more are removed', async () => {
  const world = new PodWorld()
  world.create('web', {})
  world.create('old', {})
  await world.settle()
  const restarted = (async () => {
    await world.stop()
    world.vanish('old')
    await world.restart()
  })()
  await world.settle(60_000)
  await restarted
  await world.settle()
  const left = await world.runtime.listSandboxes()
  assert.deepEqual(
    left.map(({ metadata }) => metadata.name),
    ['web'],
  )
  await world.stop()
})

test('a pod over its deadline fails', async () => {
  const world = new PodWorld()
  world.create('slow', { activeDeadlineSeconds: 5 })
  await world.settle(4900)
  assert.equal(world.get('slow')?.status?.phase, 'Running')
  await world.settle(200)
  const { phase, reason, message } = world.get('slow')?.status ?? {}
  assert.deepEqual(
    [phase, reason, message],
    ['Failed', 'DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
  )
  assert.equal((await world.runtime.listContainers())[0]?.state, 'exited')
  await world.stop()
})

test('a container whose start fails shows why, and is tried again with delay', async () => {
  const world = new PodWorld(containers({ c: { startError: 'exec: "/nope": no such file' } }))
  world.create('bad', {})
  await world.settle()
  assert.equal(world.summary('bad'), 'Running c=RunContainerError#0')
  assert.ok(world.events.includes('Failed: Error: exec: "/nope": no such file'))
  await world.settle(2100)
  assert.equal(world.summary('bad'), 'Running c=RunContainerError#1')
  await world.settle(4100)
  assert.equal(world.summary('bad'), 'Running c=CrashLoopBackOff#1')
  await world.stop()
})

test('an evicted pod has failed, says why, and is marked as disrupted', async () => {
  const world = new PodWorld()
  world.create('p', {})
  await world.settle()
  const ended = world.evict('p', 'The node was low on resource: memory. ')
  await world.settle(2_000)
  await ended
  const { status } = world.get('p') as Pod
  assert.deepEqual(
    [status?.phase, status?.reason, status?.message],
    ['Failed', 'Evicted', 'The node was low on resource: memory. '],
  )
  assert.equal(podCondition(world.get('p') as Pod, 'DisruptionTarget')?.reason, 'TerminationByKubelet')
  assert.ok(world.events.includes('Evicted: The node was low on resource: memory. '))
  await world.stop()
})

test('a pod that asks for a user namespace is told that there is none', async () => {
  const world = new PodWorld()
  world.create('p', { hostUsers: false })
  await world.settle()
  assert.equal(world.summary('p'), 'Pending c=ContainerCreating#0')
  const [first] = world.events
  assert.match(first ?? '', /^FailedCreatePodSandBox: .*runtime does not support user namespaces$/)
  world.handlers = [{ name: '', recursiveReadOnly: false, userNamespaces: true }]
  await world.settle(5_000)
  assert.equal(world.summary('p'), 'Running c=running#0+')
  await world.stop()
})

test('pods with users of their own have different ones, in their sandboxes and their containers', async () => {
  const seen = new Map<string, NamespaceOptions['users'][]>()
  const note = (name: string, { users }: NamespaceOptions): void =>
    void seen.set(name, [...(seen.get(name) ?? []), users])
  const world = new PodWorld({
    sandboxError({ metadata, security }) {
      note(metadata.name, security.namespaces)
      return undefined
    },
    container({ security }, { metadata }) {
      note(metadata.name, security.namespaces)
      return {}
    },
  })
  world.handlers = [{ name: '', recursiveReadOnly: false, userNamespaces: true }]
  for (const name of ['p', 'q']) world.create(name, { hostUsers: false })
  world.create('host', {})
  await world.settle()
  const range = (slot: number) => ({ firstId: slot * 65_536, length: 65_536 })
  assert.deepEqual(Object.fromEntries(seen), {
    p: [range(1), range(1)],
    q: [range(2), range(2)],
    host: [undefined, undefined],
  })
  await world.stop()
})
