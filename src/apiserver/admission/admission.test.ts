import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import { admit, type TestWrite } from './admission.case.ts'
import { admissionPlugins } from './plugins.ts'

const shop: TestObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
const account: TestObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace: 'shop' },
}
const base = [shop, account]

function pod(spec: object, metadata: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  }
}

async function run(objects: readonly TestObject[], write: TestWrite): Promise<Pod> {
  return (await admit(admissionPlugins, readerOf(...base, ...objects), write)) as unknown as Pod
}

test('a plain pod gets an account, a token, a priority and tolerations', async () => {
  const { spec } = await run([], { to: 'pods', object: pod({}) })
  const volume = spec?.volumes?.[0]
  assert.match(volume?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/)
  assert.deepEqual(spec, {
    containers: [
      {
        name: 'c',
        image: 'x',
        volumeMounts: [
          { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
        ],
      },
    ],
    serviceAccountName: 'default',
    serviceAccount: 'default',
    volumes: [
      {
        name: volume?.name,
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
              },
            },
          ],
        },
      },
    ],
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  })
})

test('the account decides on token and pull secrets, the pod has the last word', async () => {
  const quiet = { ...account, automountServiceAccountToken: false, imagePullSecrets: [{ name: 'pull' }] }
  const without = await run([quiet], { to: 'pods', object: pod({}) })
  assert.equal(without.spec?.volumes, undefined)
  assert.deepEqual(without.spec?.imagePullSecrets, [{ name: 'pull' }])
  const own = await run([quiet], { to: 'pods', object: pod({ automountServiceAccountToken: true }) })
  assert.equal(own.spec?.volumes?.length, 1)
})

test('tolerations of the pod and of all taints stand', async () => {
  const tolerations = [{ operator: 'Exists' }]
  const { spec } = await run([], { to: 'pods', object: pod({ tolerations }) })
  assert.deepEqual(spec?.tolerations, tolerations)
})

const classes: readonly TestObject[] = [
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'hi' },
    value: 1234,
    preemptionPolicy: 'Never',
  },
]

test('a priority class sets priority and preemption', async () => {
  const { spec } = await run(classes, { to: 'pods', object: pod({ priorityClassName: 'hi' }) })
  assert.deepEqual([spec?.priority, spec?.preemptionPolicy], [1234, 'Never'])
})

const terminating: TestObject = { ...shop, metadata: { name: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' } }
const withClass: TestObject = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'kata' },
  overhead: { podFixed: { cpu: '1' } },
  scheduling: { nodeSelector: { runtime: 'kata' } },
}
const kubelet = { name: 'system:node:n1', groups: ['system:nodes'] }
const nodeObject = (changes: object): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', labels: {} },
  spec: {},
  ...changes,
})
const claim = (storage: string, phase = 'Bound'): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'd', namespace: 'shop' },
  spec: { storageClassName: 'slow', resources: { requests: { storage } } },
  status: { phase },
})
const csr = { metadata: { name: 'c' }, spec: { signerName: 'example.com/s', request: '' }, status: {} }
const nobody = { name: 'nobody', groups: [] }

const refusals: readonly [string, readonly TestObject[], TestWrite][] = [
  [
    'namespaces "default" is forbidden: this namespace may not be deleted',
    [],
    { to: 'namespaces', operation: 'DELETE', name: 'default', namespace: '' },
  ],
  [
    'configmaps "late" is forbidden: unable to create new content in namespace shop because it is being terminated',
    [terminating],
    { to: 'configmaps', object: { metadata: { name: 'late' } } },
  ],
  ['namespaces "gone" not found', [], { to: 'configmaps', namespace: 'gone', object: { metadata: { name: 'x' } } }],
  [
    'pods "web" is forbidden: error looking up service account shop/ghost: serviceaccount "ghost" not found',
    [],
    { to: 'pods', object: pod({ serviceAccountName: 'ghost' }) },
  ],
  [
    'pods "web" is forbidden: no PriorityClass with name missing was found',
    [],
    { to: 'pods', object: pod({ priorityClassName: 'missing' }) },
  ],
  [
    'pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1234 from the given PriorityClass name',
    classes,
    { to: 'pods', object: pod({ priorityClassName: 'hi', priority: 5 }) },
  ],
  [
    'pods "web" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name',
    classes,
    { to: 'pods', object: pod({ priorityClassName: 'hi', preemptionPolicy: 'PreemptLowerPriority' }) },
  ],
  [
    'pods "web" is forbidden: pod rejected: RuntimeClass "none" not found',
    [],
    { to: 'pods', object: pod({ runtimeClassName: 'none' }) },
  ],
  [
    'pods "web" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[runtime] = kata; pod.spec.nodeSelector[runtime] = runc',
    [withClass],
    { to: 'pods', object: pod({ runtimeClassName: 'kata', nodeSelector: { runtime: 'runc' } }) },
  ],
  [
    'pods "web" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    [],
    { to: 'pods', object: pod({ overhead: { cpu: '1' } }) },
  ],
  [
    'persistentvolumeclaims "d" is forbidden: Only bound persistent volume claims can be expanded',
    [],
    { to: 'persistentvolumeclaims', object: claim('2Gi'), old: claim('1Gi', 'Pending') },
  ],
  [
    'persistentvolumeclaims "d" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    [],
    { to: 'persistentvolumeclaims', object: claim('2Gi'), old: claim('1Gi') },
  ],
  [
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "example.com/s"',
    [],
    {
      to: 'certificatesigningrequests.certificates.k8s.io/approval',
      namespace: '',
      object: csr,
      old: csr,
      user: nobody,
    },
  ],
  [
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to sign requests with signerName "example.com/s"',
    [],
    {
      to: 'certificatesigningrequests.certificates.k8s.io/status',
      namespace: '',
      object: { ...csr, status: { certificate: 'x' } },
      old: csr,
      user: nobody,
    },
  ],
  [
    'pods "web" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    [],
    { to: 'pods', object: pod({}), user: kubelet },
  ],
  [
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    [],
    { to: 'nodes', namespace: '', object: { metadata: { name: 'n2' } }, user: kubelet },
  ],
  [
    'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    [],
    {
      to: 'nodes',
      namespace: '',
      object: nodeObject({ spec: { taints: [] } }),
      old: nodeObject({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
      user: kubelet,
    },
  ],
  [
    'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a',
    [],
    {
      to: 'nodes',
      namespace: '',
      object: nodeObject({ metadata: { name: 'n1', labels: { 'node-restriction.kubernetes.io/a': 'b' } } }),
      old: nodeObject({}),
      user: kubelet,
    },
  ],
  [
    'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
    [],
    { to: 'serviceaccounts/token', name: 'default', object: { metadata: {}, spec: {} }, user: kubelet },
  ],
]

for (const [message, objects, write] of refusals) {
  test(`refused: ${message}`, async () => {
    const reason = message.endsWith('not found') && message.startsWith('namespaces') ? 'NotFound' : 'Forbidden'
    await assert.rejects(run(objects, write), { message, reason })
  })
}

test('objects of storage get finalizers and default classes', async () => {
  const fast: TestObject = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  }
  const object = { metadata: { name: 'd', namespace: 'shop' }, spec: {} }
  const admitted = await run([fast], { to: 'persistentvolumeclaims', object })
  assert.deepEqual(admitted.metadata.finalizers, ['kubernetes.io/pvc-protection'])
  assert.equal((admitted as unknown as { spec: { storageClassName: string } }).spec.storageClassName, 'fast')
  const none = await run([fast], {
    to: 'persistentvolumeclaims',
    object: { ...object, spec: { storageClassName: '' } },
  })
  assert.equal((none as unknown as { spec: { storageClassName: string } }).spec.storageClassName, '')
})

test('a new node is tainted, a kubelet may register its own', async () => {
  const node = (await run([], { to: 'nodes', namespace: '', object: nodeObject({}), user: kubelet })) as unknown as {
    spec: object
  }
  assert.deepEqual(node.spec, { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] })
})

test('a runtime class adds overhead and node selector', async () => {
  const { spec } = await run([withClass], { to: 'pods', object: pod({ runtimeClassName: 'kata' }) })
  assert.deepEqual([spec?.overhead, spec?.nodeSelector], [{ cpu: '1' }, { runtime: 'kata' }])
})
