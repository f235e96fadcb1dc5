import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { ApiRequest } from '#api/meta/exchange.ts'
import type { TokenRequest } from '#api/types/authentication.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { seededRandom, systemRandom } from '#lib/random.ts'
import { newPrivateKey } from '#lib/x509/key-pair-text.ts'
import { loadOrCreatePki } from '../certificates/pki.ts'
import { readerOf } from '../registry/object-reader.case.ts'
import { signJwt, tokenKey } from '../tokens/jwt.ts'
import { jsonWebKeySet, openIdConfiguration } from '../tokens/openid.ts'
import { createTokenIssuer } from '../tokens/token-issuer.ts'
import { createAuthenticators } from './authenticators.ts'
import { userOfCertificatePem } from './peer-certificate.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const account = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace: 'shop', uid: 'uid-account' },
}
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'shop', uid: 'uid-pod' },
  spec: { serviceAccountName: 'default', nodeName: 'alpha' },
}
const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'alpha', uid: 'uid-node' } }

function setup() {
  const reader = readerOf(account, pod, node)
  const clock = manualClock()
  const key = tokenKey(newPrivateKey())
  const common = { reader, clock, issuer, audiences: [issuer] }
  const tokens = createTokenIssuer({ ...common, random: seededRandom(1), key, serverUrl: 'https://192.0.2.1:6443' })
  const authenticators = createAuthenticators({ ...common, keys: [key] })
  const authenticate = async (headers: Record<string, string>, user?: ApiRequest['user']) => {
    const request = {
      method: 'GET',
      path: '/',
      query: new URLSearchParams(),
      headers,
      signal: new AbortController().signal,
    }
    for (const authenticator of authenticators) {
      const found = await authenticator.authenticate(user ? { ...request, user } : request)
      if (found !== undefined) return found
    }
    return undefined
  }
  const bearer = (token: string) => authenticate({ authorization: `Bearer ${token}` })
  return { reader, clock, key, tokens, authenticate, bearer }
}

function tokenRequest(spec: TokenRequest['spec']): TokenRequest {
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {} as TokenRequest['metadata'],
    spec,
  }
}

const podRef = { apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid: 'uid-pod' }

test('a token bound to a pod names account, pod and node', async () => {
  const { tokens, bearer } = setup()
  const answer = tokens.issueToken('shop', 'default', tokenRequest({ expirationSeconds: 3607, boundObjectRef: podRef }))
  assert.equal(answer.status?.expirationTimestamp, '2026-01-01T01:00:07Z')
  const user = await bearer(answer.status?.token ?? '')
  const jti = user?.extra?.['authentication.kubernetes.io/credential-id']
  assert.match(jti?.[0] ?? '', /^JTI=[0-9a-f-]{36}$/)
  assert.deepEqual(user, {
    name: 'system:serviceaccount:shop:default',
    uid: 'uid-account',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': jti,
      'authentication.kubernetes.io/node-name': ['alpha'],
      'authentication.kubernetes.io/node-uid': ['uid-node'],
      'authentication.kubernetes.io/pod-name': ['web-0'],
      'authentication.kubernetes.io/pod-uid': ['uid-pod'],
    },
  })
})

test('a token dies with its time and with each object it names', async () => {
  const { tokens, bearer, clock, reader } = setup()
  const issue = () =>
    tokens.issueToken('shop', 'default', tokenRequest({ expirationSeconds: 600, boundObjectRef: podRef })).status
      ?.token ?? ''
  const token = issue()
  assert.ok(await bearer(token))
  await clock.advance(600_000)
  await assert.rejects(bearer(token), { reason: 'Unauthorized', message: 'Unauthorized' })
  const second = issue()
  reader.put({ ...pod, metadata: { ...pod.metadata, uid: 'another' } })
  await assert.rejects(bearer(second), { reason: 'Unauthorized' })
  reader.put(pod)
  assert.ok(await bearer(second))
  reader.put({ ...account, metadata: { ...account.metadata, deletionTimestamp: '2025-12-31T23:00:00Z' } })
  await assert.rejects(bearer(second), { reason: 'Unauthorized' })
  reader.remove(account)
  await assert.rejects(bearer(second), { reason: 'Unauthorized' })
})

test('a token for another audience, by another key, or tampered with is refused', async () => {
  const { tokens, bearer, key } = setup()
  const foreign = tokens.issueToken('shop', 'default', tokenRequest({ audiences: ['vault'] })).status?.token ?? ''
  await assert.rejects(bearer(foreign), { reason: 'Unauthorized' })
  const token = tokens.issueToken('shop', 'default', tokenRequest({})).status?.token ?? ''
  const [head = '', body = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object
  const forged = Buffer.from(JSON.stringify({ ...claims, exp: 9e9 })).toString('base64url')
  const none = Buffer.from(JSON.stringify({ alg: 'none', kid: key.id })).toString('base64url')
  for (const bad of [
    `${head}.${forged}.${signature}`,
    `${none}.${body}.`,
    signJwt(claims, { ...tokenKey(newPrivateKey()), id: key.id }),
  ]) {
    await assert.rejects(bearer(bad), { reason: 'Unauthorized' })
  }
})

test('what is no known token is refused, never anonymous; other schemes are no credential', async () => {
  const { bearer, authenticate } = setup()
  await assert.rejects(bearer('garbage'), { reason: 'Unauthorized' })
  await assert.rejects(bearer('a.b.c'), { reason: 'Unauthorized' })
  assert.equal(await authenticate({ authorization: 'Basic YTpi' }), undefined)
  assert.equal(await authenticate({}), undefined)
})

test('an independent library verifies our tokens by the published keys', async () => {
  const { tokens, key, clock } = setup()
  const token = tokens.issueToken('shop', 'default', tokenRequest({ audiences: ['a', 'b'] })).status?.token ?? ''
  const keys = createLocalJWKSet(jsonWebKeySet([key]) as JSONWebKeySet)
  const { payload } = await jwtVerify(token, keys, { issuer, audience: 'b', currentDate: new Date(clock.now()) })
  assert.equal(payload.sub, 'system:serviceaccount:shop:default')
  assert.equal(
    (openIdConfiguration(issuer, 'https://192.0.2.1:6443') as { jwks_uri: string }).jwks_uri,
    'https://192.0.2.1:6443/openid/v1/jwks',
  )
  assert.equal(verify('sha256', Buffer.from('x'), createPublicKey(key.privateKey), Buffer.alloc(64)), false)
})

const refusals: readonly [string, TokenRequest['spec'], string, string][] = [
  [
    'default',
    { expirationSeconds: 5 },
    'Invalid',
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
  ],
  ['none', {}, 'NotFound', 'serviceaccounts "none" not found'],
  ['default', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'none' } }, 'NotFound', 'pods "none" not found'],
  [
    'default',
    { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } },
    'BadRequest',
    'cannot bind token to object of type /v1, Kind=ConfigMap',
  ],
  [
    'default',
    { boundObjectRef: { ...podRef, uid: 'old' } },
    'Conflict',
    'Operation cannot be fulfilled on pods "web-0": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
  ],
]

for (const [name, spec, reason, message] of refusals) {
  test(`issuing is refused: ${message}`, () => {
    const { tokens } = setup()
    assert.throws(() => tokens.issueToken('shop', name, tokenRequest(spec)), { reason, message })
  })
}

test('bootstrap tokens: right, wrong secret, expired, not for authentication', async () => {
  const { reader, bearer, clock } = setup()
  const put = (changes: Record<string, string>): void => {
    const fields = {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:worker',
      expiration: '2026-01-02T00:00:00Z',
      ...changes,
    }
    const data = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    )
    reader.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data,
    })
  }
  put({})
  assert.deepEqual(await bearer('abcdef.0123456789abcdef'), {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:worker', 'system:authenticated'],
  })
  await assert.rejects(bearer('abcdef.0123456789abcdee'), { reason: 'Unauthorized' })
  await assert.rejects(bearer('aaaaaa.0123456789abcdef'), { reason: 'Unauthorized' })
  for (const changes of [
    { 'usage-bootstrap-authentication': 'false' },
    { 'auth-extra-groups': 'system:masters' },
    { expiration: 'soon' },
    { 'token-secret': '' },
  ]) {
    put(changes)
    await assert.rejects(bearer('abcdef.0123456789abcdef'), { reason: 'Unauthorized' }, JSON.stringify(changes))
  }
  put({})
  await clock.advance(86_400_000)
  await assert.rejects(bearer('abcdef.0123456789abcdef'), { reason: 'Unauthorized' })
})

test('the transport is believed, and a certificate names user and groups', async () => {
  const { authenticate, clock } = setup()
  const pki = loadOrCreatePki(undefined, { clock, random: systemRandom, names: [], ips: [] })
  const user = userOfCertificatePem(pki.node('alpha').certificate)
  assert.deepEqual([user.name, user.groups], ['system:node:alpha', ['system:nodes']])
  const found = await authenticate({ authorization: 'Bearer garbage' }, user)
  assert.deepEqual(found?.groups, ['system:nodes', 'system:authenticated'])
  await assert.rejects(async () => authenticate({}, { name: '', groups: [] }), { reason: 'Unauthorized' })
})
