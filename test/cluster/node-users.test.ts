/**
 * Goal: pods with users of their own (KEP-127). Method: one cluster on containerd 2 and a runc that knows idmapped mounts,
 * both from Debian's sid suite; pods tell how the world looks from inside, `/proc` and the disk how it looks from outside.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import { configMaps, nodes, pods, runtimeClasses, secrets } from '#api/types/resources.ts'
import { sidContainerd, sidRunc } from '../../scripts/debian-sid.ts'
import { kubectlPath } from '../../scripts/kubectl.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { outputOf } from './harness/run-program.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestPod, type TestSpace } from './harness/test-space.ts'

const path = process.env['PATH'] ?? ''
process.env['PATH'] = [await sidRunc(), (await sidContainerd()).binaryDir, path].join(delimiter)
const shared = sharedCluster()
const options = { skip, concurrency: 4 }
const ids = 65_536
const own: Partial<PodSpec> = { hostUsers: false }
const showMap = 'cat /proc/self/uid_map /proc/self/gid_map'
let folder = ''

before(async () => void (folder = await mkdtemp('/var/tmp/coracle-users-')))
after(() => rm(folder, { recursive: true, force: true }))

/** The numbers of a `uid_map` or several. */
function mapsOf(text: string): readonly (readonly number[])[] {
  const lines = text.trim().split('\n')
  return lines.map((line) => line.trim().split(/\s+/).map(Number))
}

/** The first id on the node of a pod with users of its own, by what it prints for `showMap`. */
function firstIdOf(text: string): number {
  const [users = [], groups] = mapsOf(text)
  assert.deepEqual(users, groups)
  const [inside, outside = 0, length] = users
  assert.deepEqual([inside, outside % ids, length], [0, 0, ids])
  assert.ok(outside >= ids, text)
  return outside
}

function rangeFile({ metadata }: Pod): string {
  return join(shared.cluster.layout.kubeletDir, 'pods', metadata.uid, 'userns')
}

/** The process of the node whose command line has the word. */
/** A container is ready before it has said anything. */
function firstIdSaid(space: TestSpace, pod: string, container?: string): Promise<number> {
  const look = async (): Promise<number | undefined> => {
    const said = await space.log(pod, container)
    return said === '' ? undefined : firstIdOf(said)
  }
  return eventually(look, { what: `${pod} has said what users it has` })
}

function processWith(word: string): string {
  const files = globSync('/proc/[0-9]*/cmdline')
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return ''
    }
  }
  const found = files.find((file) => read(file).split('\0').includes(word))
  assert.ok(found, `no process has the word ${word}`)
  return basename(join(found, '..'))
}

const container = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: busybox,
  command: ['sh', '-c', script],
  ...more,
})

/** What a port of the pod answers that kubectl forwards to. */
async function forwarded(space: TestSpace, port: number): Promise<string> {
  const script = `"$KUBECTL" -n ${space.namespace} port-forward pod/pod :${port} >"$OUTPUT" 2>&1 & pid=$!
    until grep -q Forwarding "$OUTPUT"; do sleep 0.05; done
    port=$(sed -n 's/.*127.0.0.1:\\([0-9]*\\) .*/\\1/p' "$OUTPUT"); curl -s "http://127.0.0.1:$port/index.html"; kill $pid`
  const output = join(folder, 'forward')
  const environment = { KUBECTL: await kubectlPath(), KUBECONFIG: shared.cluster.layout.kubeconfig, OUTPUT: output }
  return outputOf('sh', ['-c', script], { environment })
}

describe('a node whose runtime can do it', options, () => {
  test('says so', async () => {
    const { status } = await shared.client.resource(nodes).get('node-1')
    const features = { recursiveReadOnlyMounts: true, userNamespaces: true }
    assert.deepEqual(status?.runtimeHandlers, [{ features }, { name: 'runc', features }])
    assert.deepEqual(status.features, { supplementalGroupsPolicy: true })
    assert.deepEqual(status.declaredFeatures, ['GuaranteedQoSPodCPUResize', 'RestartAllContainersOnContainerExits'])
  })

  test('root inside is nobody outside, and no two pods have a user in common', async (t) => {
    const space = await shared.space(t)
    const script = (seconds: number): string => `${showMap}; id -u; exec sleep ${seconds}`
    const seconds = [70_001, 70_002]
    const made = await Promise.all(
      seconds.map((each) => space.start({ name: `pod-${each}`, script: script(each), spec: own })),
    )
    const firstIds: number[] = []
    for (const [index, pod] of made.entries()) {
      const lines = await eventually(
        async () => {
          const said = (await space.log(pod.metadata.name)).trim().split('\n')
          return said.pop() === '0' ? said : undefined
        },
        { what: 'root inside has said so' },
      )
      const firstId = firstIdOf(lines.join('\n'))
      const sleeping = await eventually(() => processWith(String(seconds[index])), { what: 'the pod sleeps' })
      const status = readFileSync(`/proc/${sleeping}/status`, 'utf8')
      for (const field of ['Uid', 'Gid']) assert.match(status, new RegExp(`^${field}:(\t${firstId}){4}$`, 'm'))
      firstIds.push(firstId)
    }
    assert.notEqual(firstIds[0], firstIds[1])
    const host = await space.output({ name: 'host', script: showMap, spec: { hostUsers: true } })
    assert.deepEqual(mapsOf(host), [
      [0, 0, 2 ** 32 - 1],
      [0, 0, 2 ** 32 - 1],
    ])
  })

  test('all containers of a pod have the same users: first ones, sidecars, and those that come later', async (t) => {
    const space = await shared.space(t)
    const initContainers = [
      container('first', showMap),
      container('beside', `${showMap}; sleep 1000`, { restartPolicy: 'Always' }),
    ]
    await space.start({ script: `${showMap}; sleep 1000`, spec: { ...own, initContainers } })
    const later = { name: 'later', image: busybox, command: ['sh', '-c', showMap], targetContainerName: 'main' }
    await space
      .of(pods)
      .patch(
        'pod',
        { type: 'strategic', patch: { spec: { ephemeralContainers: [later] } } },
        { subresource: 'ephemeralcontainers' },
      )
    await space.waitFor(pods, 'pod', ({ status }) => !!status?.ephemeralContainerStatuses?.[0]?.state?.terminated)
    const names = ['first', 'beside', 'main', 'later']
    const firstIds = await Promise.all(names.map((name) => firstIdSaid(space, 'pod', name)))
    assert.equal(new Set(firstIds).size, 1)
  })

  test('a pod is reached as any other: by exec, probes, its address, a port of the node and forwarded ones', async (t) => {
    const space = await shared.space(t)
    const httpGet = { path: '/index.html', port: 80 }
    const hook = { exec: { command: ['sh', '-c', 'id -u > /tmp/hook'] } }
    const serve: Partial<Container> = {
      command: ['sh', '-c', 'echo hello > /tmp/index.html; httpd -f -p 80 -h /tmp'],
      ports: [{ containerPort: 80, hostPort: 18_080 }],
      readinessProbe: { httpGet, periodSeconds: 1 },
      livenessProbe: { exec: { command: ['test', '-d', '/tmp'] } },
      lifecycle: { postStart: hook },
    }
    const { status } = await space.start({ container: serve, spec: own })
    assert.equal(await space.exec('pod', 'main', 'cat', '/tmp/hook'), '0\n')
    const script = `wget -qO- http://${status?.podIP}/index.html`
    assert.equal(await space.output({ name: 'client', script, spec: own }), 'hello\n')
    const onNode = await fetch(`http://${status?.hostIP}:18080/index.html`)
    assert.equal(await onNode.text(), 'hello\n')
    assert.equal(await forwarded(space, 80), 'hello\n')
  })

  test('settings of the kernel that a pod may have are its own', async (t) => {
    const space = await shared.space(t)
    const sysctls = [
      { name: 'net.ipv4.ip_local_port_range', value: '30000 40000' },
      { name: 'kernel.shm_rmid_forced', value: '1' },
    ]
    const script = 'cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced'
    assert.equal(await space.output({ script, spec: { ...own, securityContext: { sysctls } } }), '30000\t40000\n1\n')
  })

  test('memory that runs out and users that the pod has not end a container with the reason', async (t) => {
    const space = await shared.space(t)
    const resources = { limits: { memory: '16Mi' } }
    const script = 'x=a; while true; do x=$x$x; done'
    const { pod } = await space.run({ script, container: { resources }, spec: own })
    assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'OOMKilled')
    const securityContext = { runAsUser: ids }
    await space.create({ name: 'big', script: 'true', container: { securityContext }, spec: own })
    await space.waitForEvent('big', 'Failed', /container ID 65536 cannot be mapped to a host ID/)
  })

  test('capabilities end where the pod ends', async (t) => {
    const space = await shared.space(t)
    const script = `mknod /tmp/null c 1 3 2>&1; chown 70000 /tmp/mine 2>&1
      mount -t tmpfs tmpfs /mnt && echo mounted; id -u`
    const asked = { securityContext: { capabilities: { add: ['SYS_ADMIN', 'MKNOD'] } } }
    const prepared = `mkdir -p /mnt; touch /tmp/mine; ${script}`
    const inside = await space.output({ name: 'inside', script: prepared, container: asked, spec: own })
    assert.match(inside, /mknod: .*: Operation not permitted\nchown: .*: Invalid argument\nmounted\n0\n$/)
    const outside = await space.output({ name: 'outside', script: prepared, container: asked })
    assert.match(outside, /^(mounted\n)?0\n$/)
    const privileged = { securityContext: { privileged: true } }
    const all = 'grep CapEff /proc/self/status; mknod /tmp/null c 1 3 2>&1'
    const log = await space.run({ name: 'privileged', script: all, container: privileged, spec: own })
    assert.match(log.log, /CapEff:\t000001ff[^]*mknod: .*: Operation not permitted\n$/)
  })

  test('an unmasked /proc is for those who cannot do harm with it', async (t) => {
    const space = await shared.space(t)
    const mounts = `awk '$5 ~ "^/proc/" { print $5 }' /proc/self/mountinfo`
    const unmasked = { securityContext: { procMount: 'Unmasked' as const } }
    assert.equal(await space.output({ name: 'unmasked', script: mounts, container: unmasked, spec: own }), '')
    assert.match(await space.output({ name: 'masked', script: mounts, spec: own }), /^\/proc\/sys$/m)
    await assert.rejects(
      space.create({ script: mounts, container: unmasked }),
      /procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`/,
    )
  })

  test('parts of the node do not go with users of the own', async (t) => {
    const space = await shared.space(t)
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
      const refused = space.create({ script: 'true', spec: { ...own, [field]: true } })
      await assert.rejects(refused, /Forbidden: when `hostUsers` is false/)
    }
  })

  test('a handler that is not there cannot do it', async (t) => {
    const space = await shared.space(t)
    const metadata = { name: `lost-${space.namespace}` }
    const classes = shared.client.resource(runtimeClasses)
    await classes.create({ metadata, handler: 'lost' })
    t.after(() => classes.delete(metadata.name))
    await space.create({ script: 'true', spec: { ...own, runtimeClassName: metadata.name } })
    const text = /can't set `spec\.hostUsers: false`, RuntimeClass handler "lost" does not support user namespaces/
    await space.waitForEvent('pod', 'FailedCreatePodSandBox', text)
  })
})

describe('files', options, () => {
  const listed = 'stat -c "%u %g %a %n"'

  async function withSources(space: TestSpace, pod: TestPod): Promise<TestPod> {
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { key: 'value' } })
    await space.of(secrets).create({ metadata: { name: 'secret' }, stringData: { key: 'value' } })
    const downward = { items: [{ path: 'key', fieldRef: { fieldPath: 'metadata.name' } }] }
    const volumes = [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
      { name: 'map', configMap: { name: 'map' } },
      { name: 'secret', secret: { secretName: 'secret', defaultMode: 0o400 } },
      { name: 'downward', downwardAPI: downward },
      { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'key' } }] } },
    ]
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))
    return { ...pod, container: { ...pod.container, volumeMounts }, spec: { ...own, ...pod.spec, volumes } }
  }

  test('of volumes belong to root as the pod knows it, as do those that every container has', async (t) => {
    const space = await shared.space(t)
    const script = `${listed} /disk /memory; ${listed} -L /map/key /secret/key /downward/key /token/key
      ${listed} /etc/hosts /etc/resolv.conf /etc/hostname /dev/termination-log; touch /disk/new /memory/new
      ${listed} /disk/new /memory/new`
    assert.deepEqual((await space.output(await withSources(space, { script }))).trim().split('\n'), [
      '0 0 777 /disk',
      '0 0 777 /memory',
      ...['644 /map/key', '400 /secret/key', '644 /downward/key', '644 /token/key'].map((line) => `0 0 ${line}`),
      ...['644 /etc/hosts', '644 /etc/resolv.conf', '644 /etc/hostname'].map((line) => `0 0 ${line}`),
      ...['666 /dev/termination-log', '644 /disk/new', '644 /memory/new'].map((line) => `0 0 ${line}`),
    ])
  })

  test('of volumes belong to the group of the pod, and are read by a user that is not root', async (t) => {
    const space = await shared.space(t)
    const script = `id; ${listed} /disk /memory; ${listed} -L /map/key /secret/key /token/key
      cat /map/key /secret/key /downward/key > /dev/null; touch /disk/new; ${listed} /disk/new`
    const securityContext = { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] }
    const log = await space.output(await withSources(space, { script, spec: { securityContext } }))
    assert.deepEqual(log.trim().split('\n'), [
      'uid=1000 gid=3000 groups=2000,3000,4000',
      '0 2000 2777 /disk',
      '0 2000 2777 /memory',
      '0 2000 644 /map/key',
      '0 2000 440 /secret/key',
      '1000 2000 640 /token/key',
      '1000 2000 644 /disk/new',
    ])
  })

  test('of the node have inside the owner that they have outside, and those made inside, too', async (t) => {
    const space = await shared.space(t)
    const hostPath = join(folder, 'shared')
    await mkdir(join(hostPath, 'below'), { recursive: true })
    await writeFile(join(hostPath, 'below/secret'), 'only for root\n', { mode: 0o600 })
    const volumes = [{ name: 'v', hostPath: { path: hostPath } }]
    const volumeMounts = [
      { name: 'v', mountPath: '/v' },
      { name: 'v', mountPath: '/sub', subPath: 'below' },
      { name: 'v', mountPath: '/made', subPath: 'fresh/folder' },
    ]
    const script = 'cat /v/below/secret /sub/secret; touch /v/new /made/new; chown 7:8 /made/new; ls -ln /made/new'
    const spec = { ...own, volumes }
    const log = await space.output({ script, container: { volumeMounts }, spec })
    assert.match(log, /^only for root\nonly for root\n-rw-r--r-- +1 7 +8 /)
    const owners = ['new', 'fresh', 'fresh/folder/new'].map((name) => {
      const { uid, gid } = statSync(join(hostPath, name))
      return [uid, gid]
    })
    assert.deepEqual(owners, [
      [0, 0],
      [0, 0],
      [7, 8],
    ])
    await rm(hostPath, { recursive: true })
  })

  test('on a file system that knows no idmapped mounts keep the container from its start', async (t) => {
    const space = await shared.space(t)
    const volumes = [{ name: 'v', hostPath: { path: '/proc/sys/kernel' } }]
    const volumeMounts = [{ name: 'v', mountPath: '/v' }]
    await space.create({ script: 'true', container: { volumeMounts }, spec: { ...own, volumes } })
    await space.waitForEvent('pod', 'Failed', /idmap/i)
  })

  test('of an image that is a volume belong to root', async (t) => {
    const space = await shared.space(t)
    const volumes = [{ name: 'v', image: { reference: busybox } }]
    const volumeMounts = [{ name: 'v', mountPath: '/v' }]
    const script = `${listed} /v/etc/passwd; touch /v/new 2>/dev/null || echo read-only`
    const log = await space.output({ script, container: { volumeMounts }, spec: { ...own, volumes } })
    assert.equal(log, '0 0 644 /v/etc/passwd\nread-only\n')
  })

  test('last words are read, and configMaps change in the running pod', async (t) => {
    const space = await shared.space(t)
    const script = 'echo farewell > /dev/termination-log; while ! grep -q newer /map/key; do sleep 0.2; done'
    await space.create(await withSources(space, { script }))
    await space.waitFor(pods, 'pod', isReady)
    await space.of(configMaps).patch('map', { type: 'merge', patch: { data: { key: 'newer' } } })
    const { status } = await space.waitFor(pods, 'pod', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.message, 'farewell\n')
  })
})

describe('the range of a pod', { skip }, () => {
  test('stays the same through a kill -9 of the kubelet, and nobody else gets it', async (t) => {
    const space = await shared.space(t)
    const script = `${showMap}; trap exit TERM; sleep 1000 & wait`
    const started = (name: string): Promise<Pod> =>
      space.start({ name, script, spec: { ...own, restartPolicy: 'Always' } })
    const [pod] = [await started('stays'), await started('other')]
    const kept = readFileSync(rangeFile(pod), 'utf8')
    const firstId = await firstIdSaid(space, 'stays')
    const mapping = { hostId: firstId, containerId: 0, length: ids }
    assert.deepEqual(JSON.parse(kept), { uidMappings: [mapping], gidMappings: [mapping] })
    await shared.cluster.signal('SIGKILL')
    await shared.cluster.up()
    const after = await started('after')
    const running = await space.waitFor(pods, 'stays', isReady)
    const id = (each: Pod): string | undefined => each.status?.containerStatuses?.[0]?.containerID
    assert.equal(id(running), id(pod))
    await space.exec('stays', 'main', 'kill', '1')
    const again = await space.waitFor(
      pods,
      'stays',
      (each) => isReady(each) && each.status?.containerStatuses?.[0]?.restartCount === 1,
    )
    assert.notEqual(id(again), id(pod))
    assert.equal(await firstIdSaid(space, 'stays'), firstId)
    assert.equal(readFileSync(rangeFile(pod), 'utf8'), kept)
    const firstIds = await Promise.all(['stays', 'other', 'after'].map((name) => firstIdSaid(space, name)))
    assert.equal(new Set(firstIds).size, 3)
    for (const name of ['stays', 'other', 'after']) await space.of(pods).delete(name, { gracePeriodSeconds: 0 })
    const gone = (): true | undefined => ([pod, after].some((each) => existsSync(rangeFile(each))) ? undefined : true)
    await eventually(gone, { what: 'the ranges of pods that are gone are given back' })
  })
})
