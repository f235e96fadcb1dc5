import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadOrCreatePki } from '#apiserver/certificates/pki.ts'
import { manualClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { confirmSharedKeys } from './shared-keys.ts'

test('a server with other keys is refused, and nothing secret is stored', async () => {
  const tools = { clock: manualClock(), random: systemRandom, names: [], ips: [] }
  const [first, second] = [loadOrCreatePki(undefined, tools), loadOrCreatePki(undefined, tools)]
  const store = memoryStore()
  await confirmSharedKeys(store, first, '/one')
  await confirmSharedKeys(store, first, '/one')
  await assert.rejects(confirmSharedKeys(store, second, '/two'), /copy ca\.pem and service-account\.key .* \/two\/pki/)
  const mixed = { ...second, ca: first.ca }
  await assert.rejects(confirmSharedKeys(store, mixed, '/two'), /not those of the cluster/)
  const { entries } = await store.list('')
  assert.match(
    entries.map(({ value }) => Buffer.from(value).toString()).join(),
    /^{"authority":"[^"]{64,80}","serviceAccountKey":"\w{64}"}$/,
  )
})
