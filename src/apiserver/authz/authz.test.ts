import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { PolicyRule } from '#api/types/rbac.v1.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import { authorizeByAll, createAuthorizers } from './authorizers.ts'

const group = 'rbac.authorization.k8s.io'
const alice: UserInfo = { name: 'alice', groups: ['devs', 'system:authenticated'] }
const kubelet: UserInfo = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }

function role(kind: string, name: string, namespace: string | undefined, rules: readonly PolicyRule[]): TestObject {
  return { apiVersion: `${group}/v1`, kind, metadata: { name, ...(namespace && { namespace }) }, rules }
}

function binding(
  name: string,
  namespace: string | undefined,
  to: string,
  roleKind: string,
  subject: object,
): TestObject {
  const kind = namespace ? 'RoleBinding' : 'ClusterRoleBinding'
  const metadata = { name, ...(namespace && { namespace }) }
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata,
    roleRef: { apiGroup: group, kind: roleKind, name: to },
    subjects: [subject],
  }
}

const fixtures: readonly TestObject[] = [
  role('Role', 'reader', 'shop', [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
    { apiGroups: ['apps'], resources: ['deployments/scale', '*/status'], verbs: ['update'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['one'], verbs: ['get'] },
  ]),
  binding('b', 'shop', 'reader', 'Role', { kind: 'User', name: 'alice' }),
  role('ClusterRole', 'paths', undefined, [{ nonResourceURLs: ['/metrics', '/debug/*'], verbs: ['get'] }]),
  binding('p', undefined, 'paths', 'ClusterRole', { kind: 'Group', name: 'devs' }),
  binding('robot', 'shop', 'reader', 'Role', { kind: 'ServiceAccount', name: 'bot', namespace: 'tools' }),
  binding('broken', 'lost', 'gone', 'Role', { kind: 'User', name: 'alice' }),
  role('ClusterRole', 'system:node', undefined, [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'create'] }]),
]

function ask(user: UserInfo, question: string): AuthorizationAttributes {
  const [verb = '', what = '', namespace = '', name = ''] = question.split(' ')
  const isResourceRequest = !what.startsWith('/')
  const [path, subresource = ''] = what.split(':')
  const [resource = '', ...groups] = (path ?? '').split('.')
  return {
    user,
    isResourceRequest,
    path: isResourceRequest ? '' : what,
    verb: verb as AuthorizationAttributes['verb'],
    group: groups.join('.'),
    version: 'v1',
    resource: isResourceRequest ? resource : '',
    subresource,
    namespace: namespace === '-' ? '' : namespace,
    name,
    rest: '',
  }
}

function decide(reader: ReturnType<typeof readerOf>, user: UserInfo, question: string): string {
  const { decision, reason } = authorizeByAll(createAuthorizers(reader), ask(user, question))
  return `${decision}${reason && `: ${reason}`}`
}

const byAlice = 'allow: RBAC: allowed by RoleBinding "b/shop" of Role "reader" to User "alice"'
const bot: UserInfo = { name: 'system:serviceaccount:tools:bot', groups: [] }
const decisions: readonly [UserInfo, string, string][] = [
  [alice, 'get configmaps shop x', byAlice],
  [alice, 'list configmaps shop', byAlice],
  [alice, 'delete configmaps shop x', 'noOpinion'],
  [alice, 'get configmaps other x', 'noOpinion'],
  [alice, 'list configmaps', 'noOpinion'],
  [alice, 'update deployments.apps:scale shop x', byAlice],
  [alice, 'update daemonsets.apps:status shop x', byAlice],
  [alice, 'update deployments.apps shop x', 'noOpinion'],
  [alice, 'get configmaps:status shop x', 'noOpinion'],
  [alice, 'get secrets shop one', byAlice],
  [alice, 'get secrets shop two', 'noOpinion'],
  [alice, 'get configmaps lost x', 'noOpinion: RBAC: role.rbac.authorization.k8s.io "gone" not found'],
  [alice, 'get /debug/pprof', 'allow: RBAC: allowed by ClusterRoleBinding "p" of ClusterRole "paths" to Group "devs"'],
  [alice, 'get /debug', 'noOpinion'],
  [alice, 'post /metrics', 'noOpinion'],
  [
    bot,
    'get configmaps shop x',
    'allow: RBAC: allowed by RoleBinding "robot/shop" of Role "reader" to ServiceAccount "bot/tools"',
  ],
  [{ name: 'x', groups: ['system:masters'] }, 'delete nodes - n1', 'allow'],
  [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'get /readyz', 'allow'],
  [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'get /api', 'noOpinion'],
]

for (const [user, question, expected] of decisions) {
  test(`${user.name}: ${question}`, () => assert.equal(decide(readerOf(...fixtures), user, question), expected))
}

test('a node reads the requests for certificates that it made itself', () => {
  const certificates = 'certificates.k8s.io'
  const made = (nodeName: string): TestObject => {
    const metadata = { name: `of-${nodeName}`, namespace: 'shop' }
    return { apiVersion: `${certificates}/v1beta1`, kind: 'PodCertificateRequest', metadata, spec: { nodeName } }
  }
  const reader = readerOf(...fixtures, made('n1'), made('n2'))
  const may = (question: string, fieldSelector?: string): string => {
    const asked = { ...ask(kubelet, question), ...(fieldSelector !== undefined && { fieldSelector }) }
    return authorizeByAll(createAuthorizers(reader), asked).decision
  }
  const requests = `podcertificaterequests.${certificates}`
  assert.equal(may(`create ${requests} shop`), 'allow')
  assert.equal(may(`get ${requests} shop of-n1`), 'allow')
  assert.equal(may(`get ${requests} shop of-n2`), 'noOpinion')
  assert.equal(may(`list ${requests}`, 'spec.nodeName=n1'), 'allow')
  assert.equal(may(`watch ${requests}`, 'metadata.name=x,spec.nodeName==n1'), 'allow')
  assert.equal(may(`list ${requests}`, 'spec.nodeName=n2'), 'noOpinion')
  assert.equal(may(`list ${requests}`, 'spec.nodeName!=n1'), 'noOpinion')
  assert.equal(may(`list ${requests}`), 'noOpinion')
  assert.equal(may(`update ${requests}:status shop of-n1`), 'noOpinion')
})

test('a kept decision is forgotten when a role or a binding changes', () => {
  const reader = readerOf(...fixtures)
  const authorizers = createAuthorizers(reader)
  const allowed = (): string => authorizeByAll(authorizers, ask(alice, 'get configmaps shop x')).decision
  assert.equal(allowed(), 'allow')
  reader.put(role('Role', 'reader', 'shop', []))
  assert.equal(allowed(), 'noOpinion')
  reader.put(...fixtures)
  assert.equal(allowed(), 'allow')
  reader.remove(fixtures[1]!)
  assert.equal(allowed(), 'noOpinion')
})

const nodeObjects: readonly TestObject[] = [
  ...fixtures,
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'seller',
      imagePullSecrets: [{ name: 'pull' }],
      containers: [
        {
          name: 'c',
          envFrom: [{ configMapRef: { name: 'settings' } }],
          env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } }],
        },
      ],
      volumes: [
        { name: 'v', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'ca' } }] } },
        { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'e', ephemeral: {} },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'far', namespace: 'shop' },
    spec: { nodeName: 'n2', containers: [], imagePullSecrets: [{ name: 'other' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: { volumeName: 'pv1' },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv1' },
    spec: { claimRef: { namespace: 'shop', name: 'data' } },
  },
  { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', metadata: { name: 'a1' }, spec: { nodeName: 'n1' } },
]

const unrelated = "noOpinion: no relationship found between node 'n1' and this object"
const nodeDecisions: readonly [string, string][] = [
  ['get secrets shop pull', 'allow'],
  ['watch secrets shop key', 'allow'],
  ['get secrets shop projected', 'allow'],
  ['get secrets shop other', unrelated],
  ['get secrets shop missing', unrelated],
  ['get secrets else pull', unrelated],
  ['list secrets shop', 'noOpinion: No Object name found'],
  ['update secrets shop pull', 'noOpinion: can only read resources of this type'],
  ['get configmaps shop settings', 'allow'],
  ['get configmaps shop ca', 'allow'],
  ['get persistentvolumeclaims shop data', 'allow'],
  ['get persistentvolumeclaims shop web-e', 'allow'],
  ['update persistentvolumeclaims:status shop data', 'allow'],
  ['get persistentvolumes - pv1', 'allow'],
  ['get persistentvolumes - pv2', unrelated],
  ['get volumeattachments.storage.k8s.io - a1', 'allow'],
  ['create serviceaccounts:token shop seller', 'allow'],
  ['create serviceaccounts:token shop default', unrelated],
  ['update leases.coordination.k8s.io kube-node-lease n1', 'allow'],
  ['create leases.coordination.k8s.io kube-node-lease', 'allow'],
  [
    'update leases.coordination.k8s.io kube-node-lease n2',
    'noOpinion: can only access node lease with the same name as the requesting node',
  ],
  ['create nodes - n1', 'allow'],
  ['delete nodes - n1', 'noOpinion'],
]

for (const [question, expected] of nodeDecisions) {
  test(`kubelet: ${question}`, () => assert.equal(decide(readerOf(...nodeObjects), kubelet, question), expected))
}

test('only members of system:nodes are kubelets', () => {
  assert.equal(
    decide(readerOf(...nodeObjects), { name: 'system:node:n1', groups: [] }, 'get secrets shop pull'),
    'noOpinion',
  )
})
