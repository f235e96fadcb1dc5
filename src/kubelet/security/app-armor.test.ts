import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppArmorProfile, Pod, PodSpec } from '#api/types/core.v1.ts'
import { appArmorRefusal } from '../pod-worker/app-armor-refusal.ts'
import { appArmorSetting, hasAppArmor } from './app-armor.ts'

function pod(spec: Partial<PodSpec>, profile?: AppArmorProfile): Pod {
  const container = { name: 'c', ...(profile && { securityContext: { appArmorProfile: profile } }) }
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], ...spec } }
}

const ofPod = { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } } as const
const cases: readonly [what: string, Pod, setting: object | undefined, refused: boolean][] = [
  ['none', pod({}), undefined, false],
  ['the pod’s', pod(ofPod), { type: 'RuntimeDefault' }, true],
  ['its own instead of the pod’s', pod(ofPod, { type: 'Unconfined' }), { type: 'Unconfined' }, false],
  [
    'a loaded one',
    pod({}, { type: 'Localhost', localhostProfile: 'no-write' }),
    { type: 'Localhost', profile: 'no-write' },
    true,
  ],
]
for (const [what, given, setting, refused] of cases) {
  test(`AppArmor profile: ${what}`, () => {
    assert.deepEqual(appArmorSetting(given, given.spec.containers[0] ?? { name: '' }), setting)
    assert.equal(appArmorRefusal(given, true), undefined)
    const refusal = { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
    assert.deepEqual(appArmorRefusal(given, false), refused ? refusal : undefined)
  })
}

test('whether the kernel has it', async () => {
  const files = (text: string | undefined) => ({ text: async () => text, names: async () => [] })
  assert.deepEqual(await Promise.all(['Y\n', 'N\n', undefined].map((text) => hasAppArmor(files(text)))), [
    true,
    false,
    false,
  ])
})
