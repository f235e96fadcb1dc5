/**
 * Goal: containers of a pod start and end in the order that the pod's lifecycle promises, sidecars among them. Method: one
 * cluster; every container writes what happens to it into one file of the node, whose lines tell the order.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Container, ContainerStatus, Pod, PodSpec, Probe } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster({
  async flags(dir) {
    const config = join(dir, 'kubelet.yaml')
    const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    await writeFile(config, `${head}crashLoopBackOff: { maxContainerRestartPeriod: 1s }\n`)
    return ['--config', config]
  },
})
const options = { skip, concurrency: 6 }
let folder = ''

before(async () => void (folder = await mkdtemp('/var/tmp/coracle-lifecycle-')))
after(() => rm(folder, { recursive: true, force: true }))

interface Part extends Partial<Container> {
  /** Ends by itself after so many seconds; absent: it waits to be told. */
  readonly seconds?: number
  readonly code?: number
  /** How long it takes to end when told to. */
  readonly stopSeconds?: number
}

const say = (what: string): string => `echo "${what}" >> /journal/lines`

/** A container that writes down its start and its end. */
function part(name: string, { seconds, code = 0, stopSeconds = 0, ...more }: Part = {}): Container {
  const told = `${say(`${name} told`)}; sleep ${stopSeconds}; ${say(`${name} ends`)}; exit ${code}`
  const wait =
    seconds === undefined ? 'sleep 1000 & wait' : `sleep ${seconds} & wait; ${say(`${name} ends`)}; exit ${code}`
  const script = `trap '${told}' TERM; ${say(`${name} starts`)}; ${wait}`
  const volumeMounts = [{ name: 'journal', mountPath: '/journal' }]
  return { name, image: busybox, command: ['sh', '-c', script], volumeMounts, ...more }
}

const sidecar = (name: string, fields: Part = {}): Container => part(name, { restartPolicy: 'Always', ...fields })
const hook = (...lines: readonly string[]) => ({ exec: { command: ['sh', '-c', lines.join('; ')] } })
const probe = (command: string, more: Partial<Probe> = {}): Probe => ({ ...hook(command), periodSeconds: 1, ...more })

/** A pod whose containers write into the file of the space. */
function withJournal(space: TestSpace, spec: Partial<PodSpec>): TestPod {
  const path = join(folder, space.namespace)
  const journal = { name: 'journal', hostPath: { path, type: 'DirectoryOrCreate' as const } }
  return { spec: { terminationGracePeriodSeconds: 30, ...spec, volumes: [journal] } }
}

function linesOf(space: TestSpace): readonly string[] {
  try {
    return readFileSync(join(folder, space.namespace, 'lines'), 'utf8')
      .trim()
      .split('\n')
  } catch {
    return []
  }
}

async function untilSaid(space: TestSpace, line: string, times = 1): Promise<void> {
  const isSaid = (): true | undefined => linesOf(space).filter((each) => each === line).length >= times || undefined
  await eventually(isSaid, { what: `the containers say '${line}'` })
}

function statusOf({ status }: Pod, name: string): ContainerStatus | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  return all.find((each) => each.name === name)
}

/** The process that holds the namespaces of a pod. */
function pauseOf(podUid: string): number {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  const found = globSync('/proc/[0-9]*').find(
    (path) => read(`${path}/cmdline`).startsWith('/pause') && read(`${path}/cgroup`).includes(podUid),
  )
  assert.ok(found, 'the pod has no sandbox')
  return Number(found.slice('/proc/'.length))
}

async function deleted(space: TestSpace): Promise<void> {
  await space.of(pods).delete('pod')
  await space.waitGone(pods, 'pod')
}

describe('the start of a pod', options, () => {
  test('goes through init containers and sidecars one by one, each when the one before has done or started', async (t) => {
    const space = await shared.space(t)
    const started = probe('test -f /tmp/up')
    const slow: Part = {
      startupProbe: started,
      lifecycle: { postStart: hook(`sleep 1; ${say('beside hooked')}; touch /tmp/up`) },
    }
    const { pod } = await space.run(
      withJournal(space, {
        initContainers: [part('first', { seconds: 1 }), sidecar('beside', slow), part('second', { seconds: 0 })],
        containers: [part('main', { seconds: 0 })],
      }),
    )
    assert.equal(pod.status?.phase, 'Succeeded')
    const order = ['first starts', 'first ends', 'beside starts', 'beside hooked', 'second starts', 'second ends']
    assert.deepEqual(linesOf(space), [...order, 'main starts', 'main ends', 'beside told', 'beside ends'])
  })

  test('does not go on before the postStart hook of the container before is done', async (t) => {
    const space = await shared.space(t)
    const lifecycle = { postStart: hook('sleep 1', say('one hooked')) }
    await space.start(withJournal(space, { containers: [part('one', { lifecycle }), part('two')] }))
    assert.deepEqual(linesOf(space), ['one starts', 'one hooked', 'two starts'])
  })

  test('waits for a sidecar that does not start, which is tried again', async (t) => {
    const space = await shared.space(t)
    const startupProbe = probe('test -f /journal/go', { failureThreshold: 1 })
    await space.create(
      withJournal(space, {
        initContainers: [sidecar('beside', { startupProbe }), part('second', { seconds: 0 })],
        containers: [part('main')],
        restartPolicy: 'Never',
      }),
    )
    await untilSaid(space, 'beside starts', 2)
    const waiting = await space.of(pods).get('pod')
    assert.equal(waiting.status?.phase, 'Pending')
    assert.equal(statusOf(waiting, 'second')?.state?.waiting?.reason, 'PodInitializing')
    assert.equal(statusOf(waiting, 'beside')?.started, false)
    assert.ok(!linesOf(space).some((line) => line.startsWith('second')))
    await space.waitForEvent('pod', 'Unhealthy', /^Startup probe failed/)
  })

  test('does not begin anew when a sidecar fails in the middle of it', async (t) => {
    const space = await shared.space(t)
    await space.run(
      withJournal(space, {
        initContainers: [
          part('first', { seconds: 0 }),
          sidecar('beside', { seconds: 1, code: 3 }),
          part('second', { seconds: 4 }),
        ],
        containers: [part('main', { seconds: 0 })],
      }),
    )
    const lines = linesOf(space)
    const count = (line: string): number => lines.filter((each) => each === line).length
    assert.deepEqual([count('first starts'), count('second starts'), count('main starts')], [1, 1, 1])
    assert.ok(count('beside starts') > 1, lines.join())
  })

  test('ends with an init container that fails for good, and takes the sidecars along', async (t) => {
    const space = await shared.space(t)
    const { pod } = await space.run(
      withJournal(space, {
        initContainers: [sidecar('beside', { stopSeconds: 1 }), part('first', { seconds: 1, code: 7 })],
        containers: [part('main')],
      }),
    )
    assert.equal(pod.status?.phase, 'Failed')
    assert.equal(statusOf(pod, 'first')?.state?.terminated?.exitCode, 7)
    assert.equal(statusOf(pod, 'beside')?.state?.terminated?.exitCode, 0)
    assert.deepEqual(linesOf(space), ['beside starts', 'first starts', 'first ends', 'beside told', 'beside ends'])
  })

  test('tries an init container again that may fail', async (t) => {
    const space = await shared.space(t)
    const script = `${say('first starts')}; test -f /journal/once || { touch /journal/once; exit 1; }`
    const first = part('first', { command: ['sh', '-c', script] })
    const { pod } = await space.run(
      withJournal(space, {
        initContainers: [first, part('second', { seconds: 0 })],
        containers: [part('main', { seconds: 0 })],
        restartPolicy: 'OnFailure',
      }),
    )
    assert.equal(pod.status?.phase, 'Succeeded')
    assert.equal(statusOf(pod, 'first')?.restartCount, 1)
    const order = ['first starts', 'first starts', 'second starts', 'second ends', 'main starts', 'main ends']
    assert.deepEqual(linesOf(space), order)
  })

  test('is over when the pod is deleted: what runs is ended in order, what does not never comes', async (t) => {
    const space = await shared.space(t)
    await space.create(
      withJournal(space, {
        initContainers: [sidecar('one'), sidecar('two'), part('first', { stopSeconds: 1 })],
        containers: [part('main')],
      }),
    )
    await untilSaid(space, 'first starts')
    await deleted(space)
    const ends = ['first told', 'first ends', 'two told', 'two ends', 'one told', 'one ends']
    assert.deepEqual(linesOf(space), ['one starts', 'two starts', 'first starts', ...ends])
  })
})

describe('the end of a pod', options, () => {
  const three = (fields: Part = {}): Container[] => ['one', 'two', 'three'].map((name) => sidecar(name, fields))
  const starts = ['one starts', 'two starts', 'three starts', 'main starts']

  test('takes sidecars in reverse order after the main container, and their exit codes do not count', async (t) => {
    const space = await shared.space(t)
    const { pod } = await space.run(
      withJournal(space, { initContainers: three({ code: 9 }), containers: [part('main', { seconds: 1 })] }),
    )
    assert.equal(pod.status?.phase, 'Succeeded')
    const ends = ['three', 'two', 'one'].flatMap((name) => [`${name} told`, `${name} ends`])
    assert.deepEqual(linesOf(space), [...starts, 'main ends', ...ends])
    assert.equal(statusOf(pod, 'one')?.state?.terminated?.exitCode, 9)
  })

  test('begins all hooks at once, and tells the containers one after the other', async (t) => {
    const space = await shared.space(t)
    const lifecycle = (name: string) => ({ preStop: hook(say(`${name} hooked`), 'sleep 2') })
    const initContainers = ['one', 'two'].map((name) => sidecar(name, { lifecycle: lifecycle(name) }))
    const containers = [part('main', { lifecycle: lifecycle('main') })]
    await space.start(withJournal(space, { initContainers, containers }))
    await deleted(space)
    const lines = linesOf(space)
    assert.deepEqual(lines.slice(3, 6).sort(), ['main hooked', 'one hooked', 'two hooked'])
    const ends = ['main', 'two', 'one'].flatMap((name) => [`${name} told`, `${name} ends`])
    assert.deepEqual(lines.slice(6), ends)
  })

  test('does not wait longer than the grace period for hooks that hang', async (t) => {
    const space = await shared.space(t)
    const lifecycle = { preStop: hook('sleep 1000') }
    const initContainers = three({ lifecycle })
    const spec = { initContainers, containers: [part('main')], terminationGracePeriodSeconds: 3 }
    await space.start(withJournal(space, spec))
    const startedMs = performance.now()
    await deleted(space)
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs > 2_900 && tookMs < 10_000, `${tookMs} ms`)
    const told = linesOf(space).filter((line) => line.endsWith('told'))
    assert.deepEqual(told.toSorted(), ['main told', 'one told', 'three told', 'two told'])
  })

  test('shows that the pod is not ready, and probes for life no more', async (t) => {
    const space = await shared.space(t)
    const more: Part = {
      stopSeconds: 4,
      readinessProbe: probe('! test -f /journal/ending'),
      livenessProbe: probe('! test -f /journal/ending', { failureThreshold: 1 }),
    }
    await space.start(
      withJournal(space, {
        containers: [part('main', { ...more, lifecycle: { preStop: hook('touch /journal/ending') } })],
      }),
    )
    await space.of(pods).delete('pod')
    await space.waitFor(pods, 'pod', (pod) => !isReady(pod))
    await space.waitGone(pods, 'pod')
    assert.deepEqual(linesOf(space), ['main starts', 'main told', 'main ends'])
  })

  test('is over only with the last sidecar: until then the pod still runs', async (t) => {
    const space = await shared.space(t)
    const initContainers = [sidecar('beside', { stopSeconds: 3 })]
    await space.create(withJournal(space, { initContainers, containers: [part('main', { seconds: 1 })] }))
    await untilSaid(space, 'beside told')
    const pod = await space.waitFor(pods, 'pod', (each) => statusOf(each, 'main')?.state?.terminated !== undefined)
    assert.deepEqual([pod.status?.phase, statusOf(pod, 'beside')?.state?.running !== undefined], ['Running', true])
    const { status } = await space.waitFor(pods, 'pod', (each) => each.status?.phase !== 'Running')
    assert.equal(status?.phase, 'Succeeded')
  })

  test('comes by its deadline in the same order', async (t) => {
    const space = await shared.space(t)
    const { pod } = await space.run(
      withJournal(space, { initContainers: three(), containers: [part('main')], activeDeadlineSeconds: 6 }),
    )
    assert.deepEqual([pod.status?.phase, pod.status?.reason], ['Failed', 'DeadlineExceeded'])
    const ends = ['main', 'three', 'two', 'one'].flatMap((name) => [`${name} told`, `${name} ends`])
    assert.deepEqual(linesOf(space), [...starts, ...ends])
  })

  test('comes sooner for a pod that is deleted again with less time', async (t) => {
    const space = await shared.space(t)
    await space.start(withJournal(space, { containers: [part('main', { stopSeconds: 20 })] }))
    const startedMs = performance.now()
    await space.of(pods).delete('pod')
    await untilSaid(space, 'main told')
    await space.of(pods).delete('pod', { gracePeriodSeconds: 1 })
    await space.waitGone(pods, 'pod')
    assert.ok(performance.now() - startedMs < 8_000)
  })

  test('does not wait for ephemeral containers', async (t) => {
    const space = await shared.space(t)
    await space.start(withJournal(space, { containers: [part('main', { seconds: 4 })] }))
    const later = { ...part('later'), restartPolicy: undefined }
    const patch = { spec: { ephemeralContainers: [later] } }
    await space.of(pods).patch('pod', { type: 'strategic', patch }, { subresource: 'ephemeralcontainers' })
    const { status } = await space.waitFor(pods, 'pod', (pod) => pod.status?.phase === 'Succeeded')
    assert.deepEqual(linesOf(space), ['main starts', 'later starts', 'main ends', 'later told', 'later ends'])
    assert.equal(status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 0)
  })
})

describe('a sidecar', options, () => {
  test('that is not alive is hooked, ended and started again; nobody else notices', async (t) => {
    const space = await shared.space(t)
    const livenessProbe = probe('! test -f /tmp/dead', { failureThreshold: 1 })
    const lifecycle = {
      postStart: hook('test -f /journal/again || touch /tmp/dead'),
      preStop: hook(say('beside hooked'), 'touch /journal/again'),
    }
    await space.start(
      withJournal(space, {
        initContainers: [sidecar('beside', { livenessProbe, lifecycle })],
        containers: [part('main')],
        restartPolicy: 'Always',
      }),
    )
    await untilSaid(space, 'beside starts', 2)
    const pod = await space.waitFor(
      pods,
      'pod',
      (each) => isReady(each) && statusOf(each, 'beside')?.restartCount === 1,
    )
    assert.equal(statusOf(pod, 'main')?.restartCount, 0)
    const order = ['beside hooked', 'beside told', 'beside ends', 'beside starts']
    assert.deepEqual(
      linesOf(space)
        .filter((line) => line !== 'main starts')
        .slice(1),
      order,
    )
  })

  test('that does not start in time is hooked before it is tried again', async (t) => {
    const space = await shared.space(t)
    const startupProbe = probe('test -f /journal/hooked', { failureThreshold: 2 })
    const lifecycle = { preStop: hook(say('beside hooked'), 'touch /journal/hooked') }
    await space.run(
      withJournal(space, {
        initContainers: [sidecar('beside', { startupProbe, lifecycle })],
        containers: [part('main', { seconds: 0 })],
      }),
    )
    const order = ['beside starts', 'beside hooked', 'beside told', 'beside ends', 'beside starts', 'main starts']
    assert.deepEqual(linesOf(space).slice(0, 6), order)
  })

  test('that is not ready keeps the pod from being it', async (t) => {
    const space = await shared.space(t)
    const readinessProbe = probe('test -f /journal/ready')
    await space.create(
      withJournal(space, { initContainers: [sidecar('beside', { readinessProbe })], containers: [part('main')] }),
    )
    await untilSaid(space, 'main starts')
    const pod = await space.waitFor(pods, 'pod', (each) => statusOf(each, 'main')?.ready === true)
    assert.deepEqual(
      [isReady(pod), statusOf(pod, 'beside')?.ready, statusOf(pod, 'beside')?.started],
      [false, false, true],
    )
    await space.exec('pod', 'main', 'touch', '/journal/ready')
    assert.equal(statusOf(await space.waitFor(pods, 'pod', isReady), 'beside')?.ready, true)
  })

  test('that ends while the main container runs is started again, also where nothing else is', async (t) => {
    const space = await shared.space(t)
    const { pod } = await space.run(
      withJournal(space, {
        initContainers: [sidecar('beside', { seconds: 1 })],
        containers: [part('main', { seconds: 3 })],
        restartPolicy: 'Never',
      }),
    )
    assert.equal(pod.status?.phase, 'Succeeded')
    assert.ok((statusOf(pod, 'beside')?.restartCount ?? 0) >= 1)
  })

  test('whose image is not there holds the pod up', async (t) => {
    const space = await shared.space(t)
    const missing = sidecar('beside', { image: 'coracle.test/nowhere:1', imagePullPolicy: 'Never' })
    await space.create(withJournal(space, { initContainers: [missing], containers: [part('main')] }))
    const isHeld = (pod: Pod): boolean => statusOf(pod, 'beside')?.state?.waiting?.reason === 'ErrImageNeverPull'
    const pod = await space.waitFor(pods, 'pod', isHeld)
    assert.equal(statusOf(pod, 'main')?.state?.waiting?.reason, 'PodInitializing')
    assert.deepEqual(linesOf(space), [])
  })
})

test(
  'a pod that loses its sandbox starts over: init containers, sidecars, then the main container',
  { skip },
  async (t) => {
    const space = await shared.space(t)
    const before = await space.start(
      withJournal(space, {
        initContainers: [part('first', { seconds: 0 }), sidecar('beside')],
        containers: [part('main')],
        restartPolicy: 'Always',
      }),
    )
    const order = ['first starts', 'first ends', 'beside starts', 'main starts']
    assert.deepEqual(linesOf(space), order)
    process.kill(pauseOf(before.metadata.uid), 'SIGKILL')
    await untilSaid(space, 'main starts', 2)
    const pod = await space.waitFor(pods, 'pod', (each) => isReady(each) && statusOf(each, 'main')?.restartCount === 1)
    assert.deepEqual(
      linesOf(space)
        .filter((line) => !line.endsWith('told'))
        .slice(-4),
      order,
    )
    assert.equal(statusOf(pod, 'first')?.restartCount, 1)
    await space.waitForEvent('pod', 'SandboxChanged', /^Pod sandbox changed, it will be killed and re-created\.$/)
  },
)

test('a kubelet that is killed goes on where the pods are', { skip }, async (t) => {
  const space = await shared.space(t)
  const pod = withJournal(space, {
    initContainers: [
      part('first', { seconds: 0 }),
      sidecar('beside', { stopSeconds: 2 }),
      part('second', { seconds: 4 }),
    ],
    containers: [part('main', { seconds: 6 })],
  })
  await space.create(pod)
  await untilSaid(space, 'second starts')
  await shared.cluster.signal('SIGKILL')
  await shared.cluster.up()
  await untilSaid(space, 'main starts')
  await shared.cluster.signal('SIGKILL')
  await untilSaid(space, 'main ends')
  await shared.cluster.up()
  await untilSaid(space, 'beside told')
  await shared.cluster.signal('SIGKILL')
  await shared.cluster.up()
  const { status } = await space.waitFor(pods, 'pod', (each) => each.status?.phase === 'Succeeded')
  assert.deepEqual(
    status?.initContainerStatuses?.map(({ restartCount }) => restartCount),
    [0, 0, 0],
  )
  const order = [
    'first starts',
    'first ends',
    'beside starts',
    'second starts',
    'second ends',
    'main starts',
    'main ends',
  ]
  assert.deepEqual(linesOf(space).slice(0, 7), order)
  assert.deepEqual(new Set(linesOf(space).slice(7)), new Set(['beside told', 'beside ends']))
})
