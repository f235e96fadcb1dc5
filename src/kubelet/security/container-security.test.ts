import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Pod, SeccompProfile } from '#api/types/core.v1.ts'
import type { ImageInfo } from '../cri/image.ts'
import { linuxNodeFiles } from '../identity/host-files.ts'
import { containerSecurity } from './container-security.ts'

const image = { id: 'i', repoTags: [], repoDigests: [], sizeBytes: 1, username: '' } as unknown as ImageInfo

function seccompOf(profile: SeccompProfile | undefined, usesDefaultSeccomp: boolean, privileged: boolean = false) {
  const container = { name: 'c', securityContext: { privileged, ...(profile && { seccompProfile: profile }) } }
  const metadata = { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container] } }
  return containerSecurity({ pod, container, image, seccompDirectory: '/s', usesDefaultSeccomp }).seccomp
}

test('the default filter is for containers that name none and are not privileged', () => {
  assert.deepEqual(seccompOf(undefined, false), { type: 'Unconfined' })
  assert.deepEqual(seccompOf(undefined, true), { type: 'RuntimeDefault' })
  assert.deepEqual(seccompOf(undefined, true, true), { type: 'Unconfined' })
  assert.deepEqual(seccompOf({ type: 'Unconfined' }, true), { type: 'Unconfined' })
  assert.deepEqual(seccompOf({ type: 'Localhost', localhostProfile: 'a.json' }, true), {
    type: 'Localhost',
    localhostPath: '/s/a.json',
  })
})

test("the node's resolver settings come from the file that is named, or from none", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-resolv-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.53\nsearch example.test\n')
  const files = linuxNodeFiles()
  assert.deepEqual((await files.resolvConf(join(folder, 'resolv.conf'))).servers, ['192.0.2.53'])
  assert.deepEqual((await files.resolvConf('')).servers, [])
  assert.deepEqual((await files.resolvConf(join(folder, 'missing'))).servers, [])
})
