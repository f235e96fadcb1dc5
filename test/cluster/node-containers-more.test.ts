/**
 * Goal: what the kubelet promises of containers beyond conformance: restart rules, hooks, names, security, limits.
 * Method: one cluster whose kubelet waits at most a second between restarts, and pods that tell what happened to them.
 */
import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster({
  async flags(folder) {
    const path = join(folder, 'kubelet.yaml')
    const fields = [
      'crashLoopBackOff: { maxContainerRestartPeriod: 1s }',
      'containerLogMaxSize: 100Ki',
      'containerLogMonitorInterval: 3s',
    ]
    await writeFile(
      path,
      `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${fields.join('\n')}\n`,
    )
    return ['--config', path]
  },
})
const options = { skip, concurrency: 6 }
const idle = 'trap exit TERM; sleep 1000 & wait'

const statusOf = ({ status }: Pod, name = 'main'): ContainerStatus | undefined =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((each) => each.name === name)
const container = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: busybox,
  command: ['sh', '-c', script],
  ...more,
})

describe('restarts', options, () => {
  test("a container's own rule restarts it in a pod that never restarts", async (t) => {
    const space = await shared.space(t)
    const script = 'n=$(cat /data/n || echo 0); echo $((n + 1)) > /data/n; [ $n = 0 ] && exit 42; exit 0'
    const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } }
    const main = container('main', script, {
      restartPolicy: 'Never',
      restartPolicyRules: [rule],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    })
    const { pod } = await space.run({ spec: { containers: [main], volumes: [{ name: 'data', emptyDir: {} }] } })
    assert.deepEqual([pod.status?.phase, statusOf(pod)?.restartCount], ['Succeeded', 1])
  })

  test('a rule that restarts all containers starts the pod over in its sandbox', async (t) => {
    const space = await shared.space(t)
    const volumeMounts = [{ name: 'data', mountPath: '/data' }]
    const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
    const main = container('main', '[ $(wc -l < /data/init) = 1 ] && exit 42; sleep 1000', {
      restartPolicy: 'Never',
      restartPolicyRules: [rule],
      volumeMounts,
    })
    const spec: Partial<PodSpec> = {
      initContainers: [container('init', 'echo run >> /data/init', { volumeMounts })],
      containers: [main, container('beside', idle)],
      volumes: [{ name: 'data', emptyDir: {} }],
    }
    await space.create({ spec })
    const pod = await space.waitFor(pods, 'pod', (seen) => isReady(seen) && statusOf(seen)?.restartCount === 1)
    assert.deepEqual(
      ['init', 'main', 'beside'].map((name) => statusOf(pod, name)?.restartCount),
      [1, 1, 1],
    )
    assert.equal(podCondition(pod, 'AllContainersRestarting')?.status, 'False')
  })

  test('a file that an init container writes gives variables', async (t) => {
    const space = await shared.space(t)
    const init = container('init', `printf "A='one two'\\nB='x'\\n" > /data/a.env`, {
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    })
    const fileKeyRef = { volumeName: 'data', path: 'a.env', key: 'A', optional: false }
    const main = container('main', 'echo "$A, $C"', {
      env: [
        { name: 'A', valueFrom: { fileKeyRef } },
        { name: 'C', value: '$(A)!' },
      ],
    })
    const { log } = await space.run({
      spec: { initContainers: [init], containers: [main], volumes: [{ name: 'data', emptyDir: {} }] },
    })
    assert.equal(log.trim(), 'one two, one two!')
  })

  test('a container that crashes waits longer each time and says so', async (t) => {
    const space = await shared.space(t)
    await space.create({ script: 'exit 3', spec: { restartPolicy: 'Always' } })
    const pod = await space.waitFor(
      pods,
      'pod',
      (seen) => statusOf(seen)?.state?.waiting?.reason === 'CrashLoopBackOff',
    )
    assert.match(statusOf(pod)?.state?.waiting?.message ?? '', /^back-off 1s restarting failed container=main pod=pod_/)
    assert.equal(statusOf(pod)?.lastState?.terminated?.exitCode, 3)
    await space.waitForEvent('pod', 'BackOff', /^Back-off restarting failed container main in pod pod_/)
  })

  test('memory that runs out ends a container with OOMKilled and 137', async (t) => {
    const space = await shared.space(t)
    const resources = { limits: { memory: '16Mi' } }
    const { pod } = await space.run({ script: 'x=a; while true; do x=$x$x; done', container: { resources } })
    const { reason, exitCode } = statusOf(pod)?.state?.terminated ?? {}
    assert.deepEqual([reason, exitCode], ['OOMKilled', 137])
  })
})

describe('sidecars', options, () => {
  test('start before, end after the main container, and do not keep the pod from its end', async (t) => {
    const space = await shared.space(t)
    const volumeMounts = [{ name: 'data', mountPath: '/data' }]
    const sidecar = container('sidecar', 'touch /data/up; trap "sleep 0.2; exit" TERM; sleep 1000 & wait', {
      restartPolicy: 'Always',
      volumeMounts,
      startupProbe: { exec: { command: ['test', '-f', '/data/up'] }, periodSeconds: 1 },
    })
    const spec = {
      initContainers: [sidecar],
      containers: [container('main', 'test -f /data/up', { volumeMounts })],
      volumes: [{ name: 'data', emptyDir: {} }],
      terminationGracePeriodSeconds: 5,
    }
    const { pod } = await space.run({ spec })
    assert.equal(pod.status?.phase, 'Succeeded')
    const ended = statusOf(pod, 'sidecar')?.state?.terminated
    assert.ok(Date.parse(ended?.finishedAt ?? '') >= Date.parse(statusOf(pod)?.state?.terminated?.finishedAt ?? ''))
  })
})

describe('hooks and names', options, () => {
  test('a postStart hook that fails ends its container', async (t) => {
    const space = await shared.space(t)
    await space.create({
      script: idle,
      container: { lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo no; exit 5'] } } } },
      spec: { restartPolicy: 'Always' },
    })
    await space.waitFor(pods, 'pod', (pod) => (statusOf(pod)?.restartCount ?? 0) > 0)
    await space.waitForEvent('pod', 'FailedPostStartHook', /^PostStartHook failed$/)
  })

  test('a preStop hook that sleeps holds the end up', async (t) => {
    const space = await shared.space(t)
    await space.start({
      script: idle,
      container: { lifecycle: { preStop: { sleep: { seconds: 2 } } } },
      spec: { terminationGracePeriodSeconds: 30 },
    })
    const startedMs = performance.now()
    await space.of(pods).delete('pod')
    await space.waitGone(pods, 'pod')
    assert.ok(performance.now() - startedMs > 1_900)
  })

  test('the fully qualified name, another name altogether, and a name of the own choice', async (t) => {
    const space = await shared.space(t)
    const script = 'hostname'
    const main = [container('main', script)]
    assert.equal(
      await space.output({
        name: 'fqdn',
        spec: { containers: main, hostname: 'host', subdomain: 'sub', setHostnameAsFQDN: true },
      }),
      `host.sub.${space.namespace}.svc.cluster.local\n`,
    )
    assert.equal(
      await space.output({ name: 'override', spec: { containers: main, hostnameOverride: 'other.name' } }),
      'other.name\n',
    )
    assert.equal(await space.output({ name: 'plain', spec: { containers: main, hostname: 'chosen' } }), 'chosen\n')
  })

  test("a probe's own grace period goes before the pod's", async (t) => {
    const space = await shared.space(t)
    const livenessProbe = {
      exec: { command: ['false'] },
      periodSeconds: 1,
      failureThreshold: 1,
      terminationGracePeriodSeconds: 1,
    }
    const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: 600 } as const
    await space.create({ script: 'trap "" TERM; while true; do sleep 1; done', container: { livenessProbe }, spec })
    await space.waitFor(pods, 'pod', (pod) => statusOf(pod)?.restartCount === 1)
  })
})

const capabilities = 'grep -E "^(CapEff|Seccomp|NoNewPrivs):" /proc/self/status'

describe('security', options, () => {
  test('a seccomp profile of the node', async (t) => {
    const space = await shared.space(t)
    const folder = join(shared.cluster.layout.kubeletDir, 'seccomp/profiles')
    await mkdir(folder, { recursive: true })
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    }
    await writeFile(join(folder, 'no-mkdir.json'), JSON.stringify(profile))
    const seccompProfile = { type: 'Localhost', localhostProfile: 'profiles/no-mkdir.json' } as const
    const log = await space.output({
      script: 'mkdir /tmp/x 2>&1 || true',
      container: { securityContext: { seccompProfile } },
    })
    assert.match(log, /Operation not permitted/)
    const missing = { type: 'Localhost', localhostProfile: 'profiles/missing.json' } as const
    await space.create({ name: 'missing', script: 'true', container: { securityContext: { seccompProfile: missing } } })
    const pod = await space.waitFor(
      pods,
      'missing',
      (seen) => statusOf(seen)?.state?.waiting?.reason === 'CreateContainerError',
    )
    assert.match(statusOf(pod)?.state?.waiting?.message ?? '', /cannot load seccomp profile ".*missing\.json"/)
  })

  test('capabilities, the default filter, and everything for the privileged', async (t) => {
    const space = await shared.space(t)
    const none = { capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } } as const
    assert.match(
      await space.output({ name: 'none', script: capabilities, container: { securityContext: none } }),
      /CapEff:\t0000000000000000\n[^]*Seccomp:\t2/,
    )
    const one = { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } }
    assert.match(
      await space.output({ name: 'one', script: capabilities, container: { securityContext: one } }),
      /CapEff:\t0000000000001000/,
    )
    const log = await space.output({
      name: 'all',
      script: capabilities,
      container: { securityContext: { privileged: true } },
    })
    assert.match(log, /CapEff:\t000001ff/)
  })

  test('supplemental groups: those of the image, or only those asked for', async (t) => {
    const space = await shared.space(t)
    const securityContext = { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 5000 }
    const log = await space.output({
      name: 'merged',
      spec: { containers: [container('main', 'id -G')], securityContext },
    })
    assert.deepEqual(log.trim().split(' ').sort(), ['3000', '4000', '5000'])
    const strict = { ...securityContext, supplementalGroupsPolicy: 'Strict' } as const
    const { status } = await shared.client.resource(nodes).get('node-1')
    const { pod } = await space.run({
      name: 'strict',
      spec: { containers: [container('main', 'id -G')], securityContext: strict },
    })
    // Older runtimes cannot leave out the groups of the image, and then do not get the pod.
    const isSupported = status?.features?.supplementalGroupsPolicy === true
    assert.deepEqual(
      [pod.status?.phase, pod.status?.reason],
      isSupported ? ['Succeeded', undefined] : ['Failed', 'SupplementalGroupsPolicyNotSupported'],
    )
  })

  test('a pod that must not be root', async (t) => {
    const space = await shared.space(t)
    await space.create({ script: 'true', container: { securityContext: { runAsNonRoot: true } } })
    const pod = await space.waitFor(
      pods,
      'pod',
      (seen) => statusOf(seen)?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    assert.match(
      statusOf(pod)?.state?.waiting?.message ?? '',
      /^container has runAsNonRoot and image will run as root \(pod: "pod_.*", container: main\)$/,
    )
  })

  test('a user namespace, which this runtime has not, is refused', async (t) => {
    const space = await shared.space(t)
    await space.create({ spec: { hostUsers: false, containers: [container('main', 'true')] } })
    assert.match(await space.waitForEvent('pod', 'FailedCreatePodSandBox'), /user namespaces/)
  })

  test('the processes of the pod, and of the node', async (t) => {
    const space = await shared.space(t)
    const shares = await space.output({
      name: 'shares',
      spec: { shareProcessNamespace: true, containers: [container('main', 'ps')] },
    })
    assert.match(shares, /^\s+1 .*pause$/m)
    const host = await space.output({ name: 'host', spec: { hostPID: true, containers: [container('main', 'ps')] } })
    assert.match(host, /containerd/)
  })
})

describe('logs', options, () => {
  const lines = (text: string): number => text.split('\n').length - 1

  test('are rotated when they grow, and still read as one by those who follow', async (t) => {
    const space: TestSpace = await shared.space(t)
    const line = 'x'.repeat(99)
    await space.start({
      script: `i=0; while [ $i -lt 3000 ]; do echo ${line}; i=$((i + 1)); done; touch /done; sleep 1000`,
    })
    const folder = join(
      shared.cluster.layout.podLogDir,
      `${space.namespace}_pod_${(await space.of(pods).get('pod')).metadata.uid}`,
      'main',
    )
    await eventually(async () => ((await readdir(folder)).length > 1 ? true : undefined), {
      what: 'the log is rotated',
    })
    assert.ok(lines(await space.log('pod')) < 3000)
  })

  test('of the run before', async (t) => {
    const space = await shared.space(t)
    const script = 'echo run; exit 1'
    await space.create({ script, spec: { restartPolicy: 'Always' } })
    await space.waitFor(pods, 'pod', (pod) => (statusOf(pod)?.restartCount ?? 0) > 1)
    assert.equal(await space.log('pod', 'main', { previous: 'true' }), 'run\n')
    const { podLogDir, containerLogDir } = shared.cluster.layout
    const { uid } = (await space.of(pods).get('pod')).metadata
    const filesOf = async (): Promise<readonly string[]> => {
      const files = await readdir(join(podLogDir, `${space.namespace}_pod_${uid}`, 'main'))
      const links = (await readdir(containerLogDir)).filter((name) => name.startsWith(`pod_${space.namespace}_main-`))
      return [...files, String(links.length)]
    }
    const isTidy = async (): Promise<true | undefined> =>
      (await filesOf()).join(' ') === '1.log 2.log 2' ? true : undefined
    await eventually(isTidy, { what: 'only the logs of the last two runs are kept, each with its link' })
  })
})

describe('the kubelet itself', options, () => {
  const proxy = '/api/v1/nodes/node-1/proxy'

  test('runs a command on request, and only as a POST', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    const path = `${proxy}/run/${space.namespace}/pod/main`
    const query = { cmd: 'echo hello' }
    await assert.rejects(shared.client.raw({ method: 'GET', path, query }), /Method Not Allowed/)
    const answer = await shared.cluster.kubectl.run(['create', '--raw', `${path}?cmd=echo%20hello`, '-f', '/dev/null'])
    assert.equal(answer.stdout, 'hello\n')
    const failed = shared.client.raw({ method: 'POST', path, query: { cmd: 'false' } })
    await assert.rejects(failed, /command 'false' exited with 1/)
  })

  test('says that its runtime cannot write checkpoints', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    const asked = (name: string): Promise<unknown> =>
      shared.client.raw({ method: 'POST', path: `${proxy}/checkpoint/${space.namespace}/pod/${name}` })
    await assert.rejects(asked('main'), /checkpointing of .*\/pod\/main failed \(rpc error: code = Unimplemented/)
    await assert.rejects(asked('other'), /container not found/)
  })

  test('counts probes by result', async (t) => {
    const space = await shared.space(t)
    const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1 }
    await space.start({ script: idle, container: { readinessProbe } })
    const page = (await shared.client.raw({ method: 'GET', path: `${proxy}/metrics/probes` })) as string
    const labels = `container="main",namespace="${space.namespace}",pod="pod"`
    assert.match(
      page,
      new RegExp(
        `^prober_probe_total\\{${labels},probe_type="Readiness",pod_uid="[^"]+",result="successful"\\} [1-9]`,
        'm',
      ),
    )
  })
})
