import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserInfo } from '#api/meta/exchange.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import { admit } from './admission.case.ts'
import { clusterTrustBundleAttest } from './cluster-trust-bundle-attest.ts'
import { nodeRestriction } from './node-restriction.ts'
import { podCertificateSigning } from './pod-certificate-signing.ts'

const group = 'rbac.authorization.k8s.io'
const alice: UserInfo = { name: 'alice', groups: [] }

/** Alice may do `verb` to the signers named. */
function rights(verb: string, ...resourceNames: string[]): readonly TestObject[] {
  const rules = [{ apiGroups: ['certificates.k8s.io'], resources: ['signers'], verbs: [verb], resourceNames }]
  const subjects = [{ kind: 'User', name: 'alice' }]
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: 'r' }
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name: 'r' }, rules },
    { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'r' }, roleRef, subjects },
  ]
}

function bundle(trustBundle: string, signerName?: string, metadata: object = {}): object {
  return {
    metadata: { name: 'example.com:s:a', ...metadata },
    spec: { trustBundle, ...(signerName && { signerName }) },
  }
}

test('a bundle of a signer takes the right to attest for it', async () => {
  const to = 'clustertrustbundles.certificates.k8s.io'
  const write = (readers: readonly TestObject[], object: object, old?: object): Promise<unknown> =>
    admit([clusterTrustBundleAttest], readerOf(...readers), { to, object, user: alice, name: 'b', ...(old && { old }) })
  const refused = { message: /user not permitted to attest for signerName "example.com\/s"$/ }
  await write([], bundle('x'))
  await write(rights('attest', 'example.com/s'), bundle('x', 'example.com/s'))
  await write(rights('attest', 'example.com/*'), bundle('x', 'example.com/s'))
  await assert.rejects(write(rights('sign', 'example.com/s'), bundle('x', 'example.com/s')), refused)
  await assert.rejects(write(rights('attest', 'example.com/t'), bundle('x', 'example.com/s')), refused)
  const old = bundle('x', 'example.com/s')
  await assert.rejects(write([], bundle('y', 'example.com/s'), old), refused)
  await write([], bundle('x', 'example.com/s', { finalizers: ['a/b'], resourceVersion: '5' }), old)
})

test('what comes of a request for a certificate is for who may sign', async () => {
  const to = 'podcertificaterequests.certificates.k8s.io/status'
  const old = { metadata: { name: 'r' }, spec: { signerName: 'example.com/s' }, status: {} }
  const object = { ...old, status: { conditions: [{ type: 'Denied' }] } }
  const write = (readers: readonly TestObject[], now: object): Promise<unknown> =>
    admit([podCertificateSigning], readerOf(...readers), { to, object: now, old, user: alice })
  await write([], old)
  await write(rights('sign', 'example.com/s'), object)
  await assert.rejects(write(rights('attest', 'example.com/s'), object), {
    reason: 'Invalid',
    message:
      'PodCertificateRequest.certificates.k8s.io "r" is invalid: spec.signerName: Forbidden: User "alice" is not permitted to "sign" for signer "example.com/s"',
  })
})

const kubelet: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] }

function object(kind: string, name: string, uid: string, more: object = {}): TestObject {
  const metadata = { name, uid, ...(kind === 'Node' ? {} : { namespace: 'shop' }) }
  return { apiVersion: 'v1', kind, metadata, ...more }
}

test('a kubelet asks for certificates of the pods on its node, as who they are', async () => {
  const reader = readerOf(
    object('Node', 'n1', 'node-uid'),
    object('ServiceAccount', 'robot', 'account-uid'),
    object('Pod', 'p', 'pod-uid', { spec: { nodeName: 'n1', serviceAccountName: 'robot', containers: [] } }),
    object('Pod', 'far', 'far-uid', { spec: { nodeName: 'n2', serviceAccountName: 'robot', containers: [] } }),
  )
  const good = {
    ...{ podName: 'p', podUID: 'pod-uid', nodeName: 'n1', nodeUID: 'node-uid' },
    ...{ serviceAccountName: 'robot', serviceAccountUID: 'account-uid' },
  }
  const ask = (change: object): Promise<unknown> =>
    admit([nodeRestriction], reader, {
      to: 'podcertificaterequests.certificates.k8s.io',
      object: { metadata: { generateName: 'req-' }, spec: { ...good, ...change } },
      user: kubelet,
    })
  await ask({})
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ nodeName: 'n2' }, /Spec.NodeName="n2", which is not the requesting node "n1"$/],
    [{ nodeUID: 'x' }, /names node UID "x", inconsistent with the running node \("node-uid"\)$/],
    [{ podName: 'none' }, /pods "none" not found$/],
    [{ podUID: 'x' }, /contains pod UID \("x"\) which differs from running pod "pod-uid"$/],
    [{ podName: 'far', podUID: 'far-uid' }, /pod "shop\/far" is not running on node "n1" named in/],
    [{ serviceAccountName: 'other' }, /serviceAccountName \("other"\) that differs from running pod \("robot"\)$/],
    [{ serviceAccountUID: 'x' }, /service account UID "x", which differs from the running service account/],
  ]
  for (const [change, message] of cases) await assert.rejects(ask(change), { message })
})
