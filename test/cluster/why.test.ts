import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod, Node } from '#api/types/core.v1.ts'
import { beatingNodes } from './harness/beating-nodes.ts'
import { coracle, startServer, type Server } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'

/** `coracle why` from a process of its own, over HTTPS, against a control plane whose nodes exist only as objects. */

let server: Server
let folder = ''
let beating: AsyncDisposable | undefined

before(async () => {
  server = await startServer()
  folder = await mkdtemp('/var/tmp/coracle-test-')
  await server.kubectl.apply(nodeOf('n1', '2'))
  await server.kubectl.apply({
    ...nodeOf('n2', '16'),
    spec: { taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] },
  })
  beating = await beatingNodes(server.kubectl, 'n1', 'n2')
  for (const name of ['n1', 'n2']) {
    const isOpen = ({ spec }: Node): boolean => !spec.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'))
    await server.kubectl.waitFor<Node>(['node', name], isOpen)
  }
})

after(async () => {
  await beating?.[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function nodeOf(name: string, cpu: string) {
  const allocatable = { cpu, memory: '4Gi', pods: '10' }
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'it is ready' }]
  const metadata = { name, labels: { 'kubernetes.io/hostname': name } }
  return { apiVersion: 'v1', kind: 'Node', metadata, status: { allocatable, capacity: allocatable, conditions } }
}

function podOf(name: string, spec: object = {}, metadata: object = {}) {
  const containers = [{ name: 'main', image: 'shop/web:2', resources: { requests: { cpu: '100m' } } }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers, ...spec } }
}

async function setStatus(pod: string, status: object): Promise<void> {
  const patch = JSON.stringify({ status })
  await server.kubectl.output('patch', 'pod', pod, '--subresource=status', '--type=merge', '-p', patch)
}

async function placed(name: string): Promise<void> {
  await server.kubectl.waitFor<Pod>(['pod', name], ({ spec }) => spec.nodeName !== undefined)
}

async function whyOf(target: string, ...flags: readonly string[]) {
  return coracle('why', target, '--kubeconfig', server.kubeconfig, ...flags)
}

/** Asks until the answer matches: controllers and scheduler take their time. */
async function told(target: string, ...expected: readonly RegExp[]): Promise<string> {
  return eventually(
    async () => {
      const { code, stdout, stderr } = await whyOf(target)
      for (const pattern of expected) assert.match(stdout, pattern, stderr)
      assert.equal(code, 1, stderr)
      return stdout
    },
    { what: `coracle why ${target} tells the cause` },
  )
}

test('no node fits: the scheduler tells of each node what is missing and what would help', async () => {
  await server.kubectl.apply(
    podOf('greedy', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1800m' } } }] }),
  )
  await placed('greedy')
  await server.kubectl.apply(
    podOf('second', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '400m' } } }] }),
  )
  await told(
    'pod/second',
    /it has no node/,
    /n1: Insufficient cpu; 400m cpu wanted, 200m free → free 200m cpu on n1/,
    /n2: node\(s\) had untolerated taint\(s\) → remove the taint team=a:NoSchedule from n2, or tolerate it/,
  )
  const { stdout, code } = await whyOf('pod/second', '-o', 'json')
  const report = JSON.parse(stdout) as { state: string; causes: { reason: string }[]; nodes: { remedy: string }[] }
  assert.equal(code, 1)
  assert.deepEqual([report.state, report.causes[0]?.reason], ['stuck', 'Unschedulable'])
  assert.equal(report.nodes[0]?.remedy, 'free 200m cpu on n1')
})

test('scheduling gates', async () => {
  await server.kubectl.apply(podOf('gated', { schedulingGates: [{ name: 'example.com/wait' }] }))
  await told('pod/gated', /held back by its scheduling gates example\.com\/wait/)
})

test('a claim that does not exist, and one that no volume serves', async () => {
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  await server.kubectl.apply(podOf('claiming', { volumes }))
  await told('pod/claiming', /persistentvolumeclaim "data" does not exist/, /- create persistentvolumeclaim "data"/)
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } }
  await server.kubectl.apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec })
  await told('pod/claiming', /wants the storage class "fast", which does not exist/)
  await told('pvc/data', /wants the storage class "fast", which does not exist/)
})

test('devices: a template, a class and a device that are not there', async () => {
  const resourceClaims = [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }]
  await server.kubectl.apply(podOf('calculating', { resourceClaims }))
  await told('pod/calculating', /resourceclaimtemplate "one-gpu", which does not exist/)
  const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] }
  const apiVersion = 'resource.k8s.io/v1'
  const metadata = { name: 'one-gpu' }
  await server.kubectl.apply({ apiVersion, kind: 'ResourceClaimTemplate', metadata, spec: { spec: { devices } } })
  await told(
    'pod/calculating',
    /asks for devices of the class "gpu", which does not exist/,
    /- create the device class/,
  )
  await server.kubectl.apply({ apiVersion, kind: 'DeviceClass', metadata: { name: 'gpu' }, spec: {} })
  await told('pod/calculating', /cannot allocate all claims/, /free devices on n1, or add a node that has them/)
})

test('a quota, asked of the deployment, its ReplicaSet and a job', async () => {
  await server.kubectl.output('create', 'namespace', 'small')
  await server.kubectl.output('create', 'quota', 'few', '--hard=pods=0', '-n', 'small')
  await server.kubectl.output('create', 'deployment', 'web', '--image=i', '-n', 'small')
  await server.kubectl.output('create', 'job', 'once', '--image=i', '-n', 'small')
  const asked = async (target: string): Promise<string> =>
    eventually(
      async () => {
        const { stdout, code } = await whyOf(target, '-n', 'small')
        assert.match(stdout, /exceeded quota: few/)
        assert.match(stdout, /- raise the limits of resourcequota few/)
        assert.equal(code, 1)
        return stdout
      },
      { what: `coracle why ${target} names the quota` },
    )
  assert.match(await asked('deployment/web'), /deployment web wants 1 pod, and 0 are available\n {2}→ replicaset web-/)
  const [set = ''] = (await server.kubectl.output('get', 'rs', '-n', 'small', '-o', 'name')).split('\n')
  await asked(set.replace('.apps', ''))
  await asked('job/once')
})

test('finalizers', async () => {
  await server.kubectl.apply(podOf('staying', {}, { finalizers: ['example.com/stay'] }))
  await server.kubectl.output('delete', 'pod', 'staying', '--wait=false', '--grace-period=0', '--force')
  await told('pod/staying', /it is being deleted, and held by its finalizers example\.com\/stay/)
  await server.kubectl.output('patch', 'pod', 'staying', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
})

test('images, crash loops and missing ConfigMaps', async () => {
  const waiting = (reason: string, message: string, more: object = {}) => ({
    containerStatuses: [
      {
        name: 'main',
        image: 'shop/web:2',
        imageID: '',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason, message } },
        ...more,
      },
    ],
  })
  await server.kubectl.apply(podOf('imageless', { nodeName: 'n1' }))
  await setStatus('imageless', waiting('ImagePullBackOff', 'Back-off pulling image "shop/web:2"'))
  await told('pod/imageless', /the image shop\/web:2 of container main cannot be pulled: Back-off/)
  await server.kubectl.apply(podOf('crashing', { nodeName: 'n1' }))
  const lastState = { terminated: { exitCode: 1, reason: 'Error' } }
  await setStatus('crashing', waiting('CrashLoopBackOff', 'back-off 5m0s', { lastState }))
  await told('pod/crashing', /container main crashes again and again: 3 restarts, last with exit code 1/, /--previous/)
  const containers = [
    { name: 'main', image: 'i', envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'key' } }] },
  ]
  await server.kubectl.apply(podOf('unconfigured', { nodeName: 'n1', containers }))
  await told('pod/unconfigured', /configmap "settings", which does not exist/, /secret "key", which does not exist/)
})

test('a node that is not ready, and one that is gone', async () => {
  // Nothing else is to go there.
  await server.kubectl.apply({ ...nodeOf('lost', '1'), spec: { unschedulable: true } })
  await server.kubectl.apply(podOf('orphan', { nodeName: 'lost' }))
  const conditions = [{ type: 'Ready', status: 'False', message: 'the network is not ready' }]
  const patch = JSON.stringify({ status: { conditions } })
  await server.kubectl.output('patch', 'node', 'lost', '--subresource=status', '--type=merge', '-p', patch)
  await told('pod/orphan', /its node lost is not ready: the network is not ready/)
  await told('node/lost', /it is not ready: the network is not ready/)
})

test('what is well says so with 0; what cannot be answered ends with 2', async () => {
  await server.kubectl.apply(podOf('well', { nodeName: 'n1' }))
  await setStatus('well', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
  const well = await whyOf('pod/well')
  assert.deepEqual([well.code, well.stdout], [0, 'pod default/well: it runs on n1 and is ready.\n'])
  const refusals: readonly (readonly [words: readonly string[], message: RegExp])[] = [
    [['pod/nobody'], /^error: pod "nobody" not found$/m],
    [['teapot/x'], /^error: cannot explain "teapot"; the kinds are pod, /m],
    [['pod'], /^error: name one object as KIND\/NAME/m],
    [['pod/well', '--nonsense'], /^error: unknown flag: --nonsense$/m],
  ]
  for (const [words, message] of refusals) {
    const { code, stderr } = await coracle('why', ...words, '--kubeconfig', server.kubeconfig)
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
  }
})

test('who may not ask the scheduler is told so, and gets what status and events say', async () => {
  const { kubectl } = server
  await kubectl.output('create', 'serviceaccount', 'reader')
  await kubectl.output(
    'create',
    'clusterrolebinding',
    'reader',
    '--clusterrole=view',
    '--serviceaccount=default:reader',
  )
  const token = (await kubectl.output('create', 'token', 'reader')).trim()
  const [, authority = ''] =
    /certificate-authority-data: (\S+)/.exec(await kubectl.output('config', 'view', '--raw')) ?? []
  const kubeconfig = join(folder, 'reader')
  const cluster = { server: server.url, 'certificate-authority-data': authority }
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it' },
    clusters: [{ name: 'it', cluster }],
    users: [{ name: 'it', user: { token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const ask = () => coracle('why', 'pod/second', '--kubeconfig', kubeconfig)
  const poor = await ask()
  assert.match(poor.stdout, /0\/\d nodes are available: .*Insufficient cpu/, poor.stderr)
  assert.match(poor.stdout, /Note: the scheduler's own account is not to be had \(.*forbidden/)
  assert.doesNotMatch(poor.stdout, /Nearest fits/)
  const flags = ['--clusterrole=coracle:scheduling-reader', '--serviceaccount=default:reader']
  await kubectl.output('create', 'clusterrolebinding', 'scheduling', ...flags)
  await eventually(async () => (/Nearest fits/.test((await ask()).stdout) ? true : undefined), { what: 'it may ask' })
})
