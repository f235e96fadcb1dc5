import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterTrustBundle } from '#api/types/certificates.v1beta1.ts'
import type { ClusterTrustBundleProjection } from '#api/types/core.v1.ts'
import { testAuthority } from '#lib/x509/authority.case.ts'
import type { CollectionWish, PodObjects } from '../objects/pod-objects.ts'
import { trustAnchors } from './trust-anchors.ts'

const [one, two, three] = ['one', 'two', 'three'].map((name) => testAuthority(name, Date.UTC(2026)).certificate) as [
  string,
  string,
  string,
]

function bundle(name: string, trustBundle: string, signerName?: string, labels: object = {}): ClusterTrustBundle {
  return { metadata: { name, labels }, spec: { trustBundle, ...(signerName && { signerName }) } } as ClusterTrustBundle
}

const bundles = [
  bundle('roots', `words\n${two}${one}`),
  bundle('example.com:s:a', one + two, 'example.com/s', { age: 'old' }),
  bundle('example.com:s:b', two + three, 'example.com/s', { age: 'new' }),
  bundle('example.com:t:a', three, 'example.com/t', { age: 'new' }),
]

/** What the source gives, and which bundles its pod is told of. */
async function given(source: Partial<ClusterTrustBundleProjection>): Promise<{ text: string; concerned: string[] }> {
  const concerned: string[] = []
  const objects = {
    follow: async (_resource: unknown, { concerns }: CollectionWish<ClusterTrustBundle>) => {
      concerned.push(...bundles.filter(concerns).map(({ metadata }) => metadata.name))
      return { get: (name: string) => bundles.find(({ metadata }) => metadata.name === name), list: () => bundles }
    },
  } as unknown as PodObjects
  return { text: await trustAnchors(objects, { path: 'ca', ...source }), concerned }
}

const joined = (...anchors: readonly string[]): string => [...anchors].sort().join('')

test('one bundle by its name, without what is no certificate', async () => {
  assert.deepEqual(await given({ name: 'roots' }), { text: joined(one, two), concerned: ['roots'] })
})

test('all bundles of a signer that the selector names, each authority once', async () => {
  const ofSigner = ['example.com:s:a', 'example.com:s:b']
  const cases = [
    [{}, joined(one, two, three)],
    [{ matchLabels: { age: 'new' } }, joined(two, three)],
    [{ matchExpressions: [{ key: 'age', operator: 'In', values: ['old'] }] }, joined(one, two)],
  ] as const
  for (const [labelSelector, text] of cases) {
    assert.deepEqual(await given({ signerName: 'example.com/s', labelSelector }), { text, concerned: ofSigner })
  }
})

test('what is missing is refused, or empty where it is optional', async () => {
  const missing = 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "none" not found'
  await assert.rejects(given({ name: 'none' }), { message: missing })
  assert.equal((await given({ name: 'none', optional: true })).text, '')
  const unmatched = { message: 'combination of signerName and labelSelector matched zero ClusterTrustBundles' }
  const labelSelector = { matchLabels: { age: 'ancient' } }
  await assert.rejects(given({ signerName: 'example.com/s', labelSelector }), unmatched)
  await assert.rejects(given({ signerName: 'example.com/s' }), unmatched)
  assert.equal((await given({ signerName: 'example.com/s', labelSelector, optional: true })).text, '')
  await assert.rejects(given({}), /requires either name or signerName to be set/)
})
