/**
 * Goal: what conformance promises of single containers: commands, ends, last words, hooks, security, init and ephemeral
 * containers. Method: one cluster and short pods that show it in their log, their status or to a server beside them.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Container, ContainerStatus, Lifecycle, Pod, PodSpec } from '#api/types/core.v1.ts'
import { leases, pods } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const options = { skip, concurrency: 6 }
/** Prints its arguments, after `default entrypoint`, or its own defaults. */
const entrypoint = 'coracle.test/entrypoint:1'
const idle = 'trap exit TERM; sleep 1000 & wait'

const mainStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === 'main')

describe('commands', options, () => {
  const cases: readonly [title: string, container: Partial<Container>, log: string][] = [
    ['Containers should use the image defaults if command and args are blank', {}, 'entrypoint default arguments\n'],
    [
      "Containers should be able to override the image's default arguments (container cmd)",
      { args: ['override', 'arguments'] },
      'entrypoint override arguments\n',
    ],
    [
      "Containers should be able to override the image's default command (container entrypoint)",
      { command: ['/bin/echo', 'override'] },
      'override\n',
    ],
    [
      "Containers should be able to override the image's default command and arguments",
      { command: ['/bin/echo'], args: ['override', 'arguments'] },
      'override arguments\n',
    ],
  ]
  for (const [title, container, log] of cases) {
    behaviour('common/node/containers', title, async (t) => {
      const space = await shared.space(t)
      assert.equal(await space.output({ container: { image: entrypoint, ...container } }), log)
    })
  }
})

/** What a container that has ended says in its status. */
async function lastWords(space: TestSpace, pod: TestPod): Promise<string | undefined> {
  const { pod: ended } = await space.run(pod)
  return mainStatus(ended)?.state?.terminated?.message
}

describe('last words', options, () => {
  const policy = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const
  const area = 'common/node/runtime'

  behaviour(
    area,
    'Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set',
    async (t) => {
      const space = await shared.space(t)
      assert.equal(await lastWords(space, { script: 'echo -n DONE; exit 1', container: policy }), 'DONE')
    },
  )

  behaviour(
    area,
    'Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set',
    async (t) => {
      const space = await shared.space(t)
      assert.equal(await lastWords(space, { script: 'echo DONE', container: policy }), undefined)
    },
  )

  behaviour(
    area,
    'Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set',
    async (t) => {
      const space = await shared.space(t)
      const script = 'echo -n OK > /dev/termination-log; echo not this'
      assert.equal(await lastWords(space, { script, container: policy }), 'OK')
    },
  )

  behaviour(
    area,
    'Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path',
    async (t) => {
      const space = await shared.space(t)
      const container = { terminationMessagePath: '/dev/termination-custom-log', securityContext: { runAsUser: 65534 } }
      const script = 'echo -n DONE > /dev/termination-custom-log'
      assert.equal(await lastWords(space, { script, container }), 'DONE')
    },
  )

  const policies = [
    { restartPolicy: 'Always', phase: 'Running', restarts: 2, ready: true },
    { restartPolicy: 'OnFailure', phase: 'Succeeded', restarts: 1, ready: false },
    { restartPolicy: 'Never', phase: 'Failed', restarts: 0, ready: false },
  ] as const
  behaviour(
    area,
    'Container Runtime blackbox test when starting a container that exits should run with the expected status',
    async (t) => {
      const space = await shared.space(t)
      // Fails at first, then succeeds, then stays.
      const script =
        'n=$(cat /data/n || echo 0); echo $((n + 1)) > /data/n; [ $n = 0 ] && exit 1; [ $n = 1 ] && exit 0; sleep 1000'
      const runs = policies.map(async ({ restartPolicy, ...wanted }) => {
        const name = restartPolicy.toLowerCase()
        const volumes = [{ name: 'data', emptyDir: {} }]
        const container = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }
        await space.create({ name, script, container, spec: { restartPolicy, volumes } })
        await space.waitFor(pods, name, (pod) => {
          const { restartCount, ready } = mainStatus(pod) ?? {}
          const seen = { phase: pod.status?.phase, restarts: restartCount, ready }
          return JSON.stringify(seen) === JSON.stringify(wanted)
        })
      })
      await Promise.all(runs)
    },
  )
})

describe('one busybox container', options, () => {
  behaviour(
    'common/node/kubelet',
    'Kubelet when scheduling a busybox command in a pod should print the output to logs',
    async (t) => {
      const space = await shared.space(t)
      assert.equal(await space.output({ script: "echo 'Hello World'" }), 'Hello World\n')
    },
  )

  behaviour(
    'common/node/kubelet',
    'Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason',
    async (t) => {
      const space = await shared.space(t)
      await space.create({ container: { command: ['/bin/false'] }, spec: { restartPolicy: 'Always' } })
      const pod = await space.waitFor(pods, 'pod', (seen) => {
        const { state, lastState } = mainStatus(seen) ?? {}
        return (state?.terminated ?? lastState?.terminated) !== undefined
      })
      const { state, lastState } = mainStatus(pod) ?? {}
      const { reason, exitCode } = state?.terminated ?? lastState?.terminated ?? {}
      assert.deepEqual([reason, exitCode], ['Error', 1])
    },
  )

  behaviour(
    'common/node/kubelet',
    'Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete',
    async (t) => {
      const space = await shared.space(t)
      await space.create({ container: { command: ['/bin/false'] }, spec: { restartPolicy: 'Always' } })
      await space.of(pods).delete('pod')
      await space.waitGone(pods, 'pod')
    },
  )

  behaviour(
    'common/node/kubelet',
    'Kubelet when scheduling a read only busybox container should not write to root filesystem',
    async (t) => {
      const space = await shared.space(t)
      const container = { securityContext: { readOnlyRootFilesystem: true } }
      const log = await space.output({ script: 'echo test > /file 2>&1; cat /file 2>&1; true', container })
      assert.match(log, /No such file or directory/)
    },
  )

  behaviour(
    'common/node/kubelet',
    'Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts',
    async (t) => {
      const space = await shared.space(t)
      const spec = { hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] }
      const log = await space.output({ script: 'cat /etc/hosts', spec })
      assert.match(log, /^# Entries added by HostAliases\.\n123\.45\.67\.89\tfoo\tbar$/m)
    },
  )

  behaviour(
    'common/node/kubelet_etc_hosts',
    'KubeletManagedEtcHosts should test kubelet managed /etc/hosts file',
    async (t) => {
      const space = await shared.space(t)
      const volumes = [{ name: 'hosts', hostPath: { path: '/etc/hosts', type: 'File' } } as const]
      const own = { name: 'own', volumeMounts: [{ name: 'hosts', mountPath: '/etc/hosts' }] }
      const read = (container: object): Container => ({
        name: 'main',
        image: busybox,
        command: ['cat', '/etc/hosts'],
        ...container,
      })
      const [managed, onHost] = await Promise.all([
        space.run({ name: 'managed', spec: { volumes, containers: [read({}), read(own)] } }),
        space.output({ name: 'host', spec: { hostNetwork: true, containers: [read({})] } }),
      ])
      const header = '# Kubernetes-managed hosts file'
      assert.ok(managed.log.startsWith(`${header}.\n`), managed.log)
      assert.match(managed.log, new RegExp(`^${managed.pod.status?.podIP}\\tmanaged$`, 'm'))
      assert.doesNotMatch(await space.log('managed', 'own'), new RegExp(header))
      // A pod on the node's network is managed too since 1.32; what stands there is the node's own.
      assert.match(onHost, /127\.0\.0\.1\s+localhost/)
    },
  )

  behaviour('common/node/lease', 'Lease lease API should be available', async (t) => {
    const space = await shared.space(t)
    const own = space.of(leases)
    const time = (offset: number): string => `2026-01-0${offset}T00:00:00.000000Z`
    const spec = {
      holderIdentity: 'holder',
      leaseDurationSeconds: 30,
      acquireTime: time(1),
      renewTime: time(2),
      leaseTransitions: 0,
    }
    const made = await own.create({ metadata: { name: 'lease' }, spec })
    assert.deepEqual((await own.get('lease')).spec, spec)
    const next = { ...spec, holderIdentity: 'other', leaseTransitions: 1, renewTime: time(3) }
    await own.update({ ...made, spec: next })
    assert.deepEqual((await own.get('lease')).spec, next)
    await own.patch('lease', { type: 'strategic', patch: { spec: { holderIdentity: 'third' } } })
    assert.equal((await own.get('lease')).spec?.holderIdentity, 'third')
    await own.create({ metadata: { name: 'lease-2', labels: { deletecollection: 'true' } }, spec })
    assert.equal((await own.list()).items.length, 2)
    await own.deleteCollection({ labelSelector: 'deletecollection=true' })
    assert.equal((await own.list()).items.length, 1)
    await own.delete('lease')
    await assert.rejects(own.get('lease'), /not found/)
  })
})

/** A server that logs what it is asked for, and the pod whose hooks ask it. */
async function hookServer(space: TestSpace): Promise<{ readonly ip: string; asked(path: string): Promise<void> }> {
  const server = await space.start({ name: 'server', container: { image: 'coracle.test/echo:1' } })
  return {
    ip: server.status?.podIP ?? '',
    async asked(path) {
      const look = async (): Promise<true | undefined> =>
        (await space.log('server')).includes(path) ? true : undefined
      await eventually(look, { what: `the server is asked for ${path}` })
    },
  }
}

const execHook = (ip: string, path: string): Lifecycle['preStop'] => ({
  exec: { command: ['sh', '-c', `wget -qO- http://${ip}:8080${path}`] },
})
const httpHook = (ip: string, path: string): Lifecycle['preStop'] => ({ httpGet: { host: ip, port: 8080, path } })

describe('hooks', options, () => {
  const area = 'common/node/lifecycle_hook'
  const starts = [
    [
      'Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly',
      execHook,
    ],
    [
      'Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly',
      httpHook,
    ],
  ] as const
  for (const [title, hook] of starts) {
    behaviour(area, title, async (t) => {
      const space = await shared.space(t)
      const { ip, asked } = await hookServer(space)
      await space.start({ script: idle, container: { lifecycle: { postStart: hook(ip, '/poststart') } } })
      await asked('/poststart')
    })
  }

  const stops = [
    [
      'Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly',
      execHook,
    ],
    [
      'Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly',
      httpHook,
    ],
  ] as const
  for (const [title, hook] of stops) {
    behaviour(area, title, async (t) => {
      const space = await shared.space(t)
      const { ip, asked } = await hookServer(space)
      const spec = { terminationGracePeriodSeconds: 30 }
      await space.start({ script: idle, spec, container: { lifecycle: { preStop: hook(ip, '/prestop') } } })
      await space.of(pods).delete('pod')
      await space.waitGone(pods, 'pod')
      await asked('/prestop')
    })
  }

  behaviour('node/pre_stop', 'PreStop should call prestop when killing a pod', async (t) => {
    const space = await shared.space(t)
    const { ip, asked } = await hookServer(space)
    const lifecycle = { preStop: execHook(ip, '/write') }
    await space.start({
      name: 'tester',
      script: idle,
      container: { lifecycle },
      spec: { terminationGracePeriodSeconds: 30 },
    })
    await space.kubectl('delete', 'pod', 'tester', '--wait=false')
    await asked('/write')
    await space.waitGone(pods, 'tester')
  })
})

describe('security', options, () => {
  const area = 'common/node/security_context'

  behaviour(
    area,
    'Security Context When creating a container with runAsUser should run the container with uid 65534',
    async (t) => {
      const space = await shared.space(t)
      assert.equal(
        await space.output({ script: 'id -u', container: { securityContext: { runAsUser: 65534 } } }),
        '65534\n',
      )
    },
  )

  behaviour(
    area,
    'Security Context When creating a pod with privileged should run the container as unprivileged when false',
    async (t) => {
      const space = await shared.space(t)
      const script = 'ip link add dummy0 type dummy || true'
      const log = await space.output({ script, container: { securityContext: { privileged: false } } })
      assert.match(log, /RTNETLINK answers: Operation not permitted/)
    },
  )

  behaviour(
    area,
    'Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false',
    async (t) => {
      const space = await shared.space(t)
      const container = { securityContext: { readOnlyRootFilesystem: false } }
      await space.output({ script: 'touch checkfile', container })
    },
  )

  behaviour(
    area,
    'Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false',
    async (t) => {
      const space = await shared.space(t)
      const securityContext = { runAsUser: 1000, allowPrivilegeEscalation: false }
      const log = await space.output({
        script: 'id -u; grep NoNewPrivs /proc/self/status',
        container: { securityContext },
      })
      assert.equal(log, '1000\nNoNewPrivs:\t1\n')
    },
  )

  const ids = { runAsUser: 1001, runAsGroup: 2002 }
  behaviour(
    'node/security_context',
    'Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup',
    async (t) => {
      const space = await shared.space(t)
      assert.match(
        await space.output({ script: 'id', spec: { ...mainContainer('id'), securityContext: ids } }),
        /^uid=1001 gid=2002/,
      )
    },
  )

  behaviour(
    'node/security_context',
    'Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup',
    async (t) => {
      const space = await shared.space(t)
      const securityContext = { runAsUser: 1, runAsGroup: 2 }
      const spec = { ...mainContainer('id', { securityContext: ids }), securityContext }
      assert.match(await space.output({ spec }), /^uid=1001 gid=2002/)
    },
  )

  behaviour('common/node/sysctl', 'Sysctls should support sysctls', async (t) => {
    const space = await shared.space(t)
    const securityContext = { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] }
    const spec = { ...mainContainer('cat /proc/sys/kernel/shm_rmid_forced'), securityContext }
    assert.equal(await space.output({ spec }), '1\n')
  })

  behaviour('common/node/sysctl', 'Sysctls should reject invalid sysctls', async (t) => {
    const space = await shared.space(t)
    const names = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..']
    const securityContext = { sysctls: names.map((name) => ({ name, value: '1' })) }
    await assert.rejects(space.create({ spec: { ...mainContainer('true'), securityContext } }), (error: Error) => {
      for (const [index, name] of names.entries()) {
        const isRefused = error.message.includes(
          `spec.securityContext.sysctls[${index}].name: Invalid value: "${name}"`,
        )
        assert.equal(isRefused, name !== 'kernel.shmmax' && name !== 'safe-and-unsafe', `${name}: ${error.message}`)
      }
      return true
    })
  })
})

function mainContainer(script: string, more: Partial<Container> = {}): Pick<PodSpec, 'containers'> {
  return { containers: [{ name: 'main', image: busybox, command: ['sh', '-c', script], ...more }] }
}

const initContainers = (...scripts: readonly string[]): readonly Container[] =>
  scripts.map((script, index) => ({ name: `init${index + 1}`, image: busybox, command: ['sh', '-c', script] }))
const conditionOf = (pod: Pod, type: string): string | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type)?.status

describe('init containers', options, () => {
  const area = 'common/node/init_container'

  behaviour(area, 'InitContainer should invoke init containers on a RestartNever pod', async (t) => {
    const space = await shared.space(t)
    const { pod } = await space.run({
      script: 'true',
      spec: { ...mainContainer('true'), initContainers: initContainers('true', 'true') },
    })
    assert.deepEqual([pod.status?.phase, conditionOf(pod, 'Initialized')], ['Succeeded', 'True'])
    const codes = pod.status?.initContainerStatuses?.map(({ ready, state }) => [ready, state?.terminated?.exitCode])
    assert.deepEqual(codes, [
      [true, 0],
      [true, 0],
    ])
  })

  behaviour(area, 'InitContainer should invoke init containers on a RestartAlways pod', async (t) => {
    const space = await shared.space(t)
    const spec = {
      ...mainContainer(idle),
      initContainers: initContainers('true', 'true'),
      restartPolicy: 'Always',
    } as const
    const pod = await space.start({ spec })
    assert.deepEqual([pod.status?.phase, conditionOf(pod, 'Initialized')], ['Running', 'True'])
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ ready }) => ready),
      [true, true],
    )
  })

  behaviour(
    area,
    'InitContainer should not start app containers if init containers fail on a RestartAlways pod',
    async (t) => {
      const space = await shared.space(t)
      const spec = {
        ...mainContainer(idle),
        initContainers: initContainers('false', 'true'),
        restartPolicy: 'Always',
      } as const
      await space.create({ spec })
      const pod = await space.waitFor(
        pods,
        'pod',
        ({ status }) => (status?.initContainerStatuses?.[0]?.restartCount ?? 0) >= 2,
      )
      assert.deepEqual([pod.status?.phase, conditionOf(pod, 'Initialized')], ['Pending', 'False'])
      assert.match(pod.status?.conditions?.find(({ type }) => type === 'Initialized')?.message ?? '', /\[init1 init2\]/)
      assert.equal(pod.status?.initContainerStatuses?.[1]?.state?.waiting?.reason, 'PodInitializing')
      assert.equal(mainStatus(pod)?.state?.waiting?.reason, 'PodInitializing')
    },
  )

  behaviour(
    area,
    'InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod',
    async (t) => {
      const space = await shared.space(t)
      const { pod } = await space.run({
        spec: { ...mainContainer(idle), initContainers: initContainers('true', 'false') },
      })
      assert.equal(pod.status?.phase, 'Failed')
      assert.equal(pod.status?.initContainerStatuses?.[1]?.state?.terminated?.exitCode, 1)
      assert.equal(mainStatus(pod)?.state?.waiting?.reason, 'PodInitializing')
    },
  )
})

const isRunning =
  (name: string): ((pod: Pod) => boolean) =>
  ({ status }) =>
    status?.ephemeralContainerStatuses?.some((each) => each.name === name && each.state?.running !== undefined) ?? false

function addEphemeral(space: TestSpace, name: string): Promise<Pod> {
  const container = {
    name,
    image: busybox,
    command: ['sh', '-c', 'echo polo; sleep 1000'],
    targetContainerName: 'main',
  }
  const patch = { spec: { ephemeralContainers: [container] } }
  return space.of(pods).patch('pod', { type: 'strategic', patch }, { subresource: 'ephemeralcontainers' })
}

describe('ephemeral containers', options, () => {
  const area = 'common/node/ephemeral_containers'

  behaviour(area, 'Ephemeral Containers will start an ephemeral container in an existing pod', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    await addEphemeral(space, 'debugger')
    await space.waitFor(pods, 'pod', isRunning('debugger'))
    await eventually(async () => ((await space.log('pod', 'debugger')) === 'polo\n' ? true : undefined), {
      what: 'its log',
    })
    // It sees the processes of the container that it looks into.
    assert.match(await space.exec('pod', 'debugger', 'ps'), /trap exit TERM/)
  })

  behaviour(area, 'Ephemeral Containers should update the ephemeral containers in an existing pod', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    for (const [index, name] of ['debugger1', 'debugger2'].entries()) {
      await addEphemeral(space, name)
      const pod = await space.waitFor(pods, 'pod', isRunning(name))
      assert.equal(pod.spec.ephemeralContainers?.length, index + 1)
    }
  })
})
