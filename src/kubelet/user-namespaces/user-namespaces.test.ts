import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { IdLedger } from './id-ledger.ts'
import type { IdRange } from './id-range.ts'
import { formatMappings, parseMappings } from './mappings-text.ts'
import { idUnit, nodeIds, type IdSource } from './node-ids.ts'
import { podIdRanges, type PodIdRanges } from './pod-id-ranges.ts'
import { userNamespaceRefusal } from './user-namespace-refusal.ts'

const three: IdRange = { firstId: idUnit, length: 3 * idUnit }
const first: IdRange = { firstId: idUnit, length: idUnit }

function machine(users: string | undefined, groups = users): IdSource {
  return {
    hasOwner: async () => true,
    subordinates: async (kind) => (kind === 'users' ? users : groups),
  }
}

const wanted = { idsPerPod: idUnit, maximumPods: 110 }

test('without a user of its own the kubelet gives out all ids but the first range', async () => {
  const rest = { firstId: idUnit, length: 2 ** 32 - idUnit }
  const nobody: IdSource = { hasOwner: async () => false, subordinates: async () => assert.fail('asked all the same') }
  assert.deepEqual(await nodeIds(nobody, wanted), rest)
  assert.deepEqual(await nodeIds(machine(undefined), wanted), rest)
  const twice = { firstId: 2 * idUnit, length: 2 ** 32 - 2 * idUnit }
  assert.deepEqual(await nodeIds(nobody, { ...wanted, idsPerPod: 2 * idUnit }), twice)
})

test('what the node’s owner has set aside is used', async () => {
  assert.deepEqual(await nodeIds(machine('0: kubelet 131072 7208960\n'), wanted), {
    firstId: 131_072,
    length: 7_208_960,
  })
})

const unusable: readonly (readonly [users: string, groups: string, error: string])[] = [
  ['0: kubelet 65536 1\n', '0: kubelet 65536 2\n', 'mismatched subuids and subgids for user "kubelet"'],
  ['0: kubelet 1 2\n1: kubelet 3 4\n', '', 'it must contain only one line'],
  ['kubelet 65536 65536\n', '', 'invalid line "kubelet 65536 65536\\n"'],
  ['0: kubelet many 65536\n', '', 'error parsing line'],
  ['0: kubelet 4294967296 65536\n', '', 'error parsing line'],
  ['0: kubelet 65537 65536\n', '', 'kubelet user assigned ID 65537 is not a multiple of 65536'],
  ['0: kubelet 0 7208960\n', '', 'kubelet user assigned ID 0 must be greater or equal to 65536'],
  ['0: kubelet 65536 65537\n', '', 'kubelet user assigned IDs length 65537 is not a multiple of 65536'],
  ['0: kubelet 65536 65536\n', '', 'kubelet user assigned IDs are not enough to support 110 pods'],
]

for (const [users, groups, error] of unusable) {
  test(`set aside in vain: ${error}`, async () => {
    const answer = nodeIds(machine(users, groups || users), wanted)
    await assert.rejects(answer, ({ message }: Error) => message.includes(error))
  })
}

test('no two pods have a range, and one that is given back comes up last', () => {
  const ledger = new IdLedger(three, idUnit)
  const taken = ['a', 'b'].map((pod) => ledger.take(pod).firstId / idUnit)
  ledger.release('a')
  assert.deepEqual([...taken, ledger.take('c').firstId / idUnit], [1, 2, 3])
  assert.equal(ledger.take('d').firstId / idUnit, 1)
  assert.throws(() => ledger.take('e'), /^Error: could not find an empty slot to allocate a user namespace$/)
  ledger.release('unknown')
  assert.deepEqual(ledger.rangeOf('d'), first)
})

const unfit: readonly (readonly [IdRange, string])[] = [
  [{ firstId: idUnit, length: 1 }, 'wrong user namespace length 1'],
  [{ firstId: 5, length: idUnit }, 'wrong user namespace offset specified 5'],
  [{ firstId: 0, length: idUnit }, 'id 0 is out of range'],
  [{ firstId: 4 * idUnit, length: idUnit }, `id ${4 * idUnit} is out of range`],
  [first, 'range picked for pod "b" already taken'],
  [{ firstId: 3 * idUnit, length: idUnit }, 'different user namespace range already used by pod "b"'],
]

for (const [range, error] of unfit) {
  test(`a range that a pod cannot have had: ${error}`, () => {
    const ledger = new IdLedger(three, idUnit)
    ledger.record('a', first)
    if (error.startsWith('different')) ledger.record('b', { firstId: 2 * idUnit, length: idUnit })
    assert.throws(() => ledger.record('b', range), { message: error })
  })
}

test('mappings read back as they were written', () => {
  const text = formatMappings(first)
  assert.equal(text, readable)
  assert.deepEqual(parseMappings(text), first)
})

const readable =
  '{"uidMappings":[{"hostId":65536,"containerId":0,"length":65536}],"gidMappings":[{"hostId":65536,"containerId":0,"length":65536}]}'
const unreadable: Readonly<Record<string, string>> = {
  nonsense: 'invalid user namespace mappings file',
  null: 'no more than one mapping allowed',
  '{"uidMappings":[],"gidMappings":[]}': 'no more than one mapping allowed',
  [readable.replace('65536', '1')]: 'GID and UID mapping should be identical',
  [readable.replaceAll('"containerId":0', '"containerId":1')]: 'UID 0 must be mapped',
  [readable.replaceAll('"hostId":65536', '"hostId":"x"')]: 'invalid user namespace mappings file',
}

for (const [text, error] of Object.entries(unreadable)) {
  test(`mappings that nobody wrote: ${text.slice(0, 60)}`, () =>
    assert.throws(
      () => parseMappings(text),
      ({ message }: Error) => message.includes(error),
    ))
}

async function podsDir(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-ids-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

const started = (folder: string, idsPerPod = idUnit): Promise<PodIdRanges> =>
  podIdRanges({ podsDir: folder, ids: { firstId: idsPerPod, length: 4 * idsPerPod }, idsPerPod })

test('a pod has the same range after a restart, and others none of it', async (t) => {
  const folder = await podsDir(t)
  await mkdir(join(folder, 'plain'))
  const before = await started(folder)
  const [a, b] = [await before.rangeOf('a'), await before.rangeOf('b')]
  assert.deepEqual(await before.rangeOf('a'), a)
  assert.equal(await readFile(join(folder, 'a', 'userns'), 'utf8'), formatMappings(a))
  assert.deepEqual(await readdir(join(folder, 'a')), ['userns'])
  const after = await started(folder)
  const others = [await after.rangeOf('c'), await after.rangeOf('d')]
  assert.equal(new Set([a, b, ...others].map(({ firstId }) => firstId)).size, 4)
  assert.deepEqual([await after.rangeOf('a'), await after.rangeOf('b')], [a, b])
  await assert.rejects(after.rangeOf('e'), /could not find an empty slot/)
  after.release('a')
  assert.deepEqual(await after.rangeOf('e'), a)
})

test('a node does not start with pods whose ranges it could give away', async (t) => {
  const folder = await podsDir(t)
  await (await started(folder)).rangeOf('a')
  await assert.rejects(started(folder, 2 * idUnit), {
    message: 'record pod mappings for existing pod "a": wrong user namespace length 65536',
  })
  await writeFile(join(folder, 'a', 'userns'), 'nonsense')
  await assert.rejects(started(folder), /^Error: record pod mappings for existing pod "a": invalid user namespace/)
})

test('a range that cannot be written down is not given', async (t) => {
  const folder = await podsDir(t)
  const ranges = await started(folder)
  await writeFile(join(folder, 'a'), 'in the way')
  await assert.rejects(ranges.rangeOf('a'), /^Error: create user namespace: /)
  assert.equal((await ranges.rangeOf('b')).firstId, 2 * idUnit)
  assert.equal((await Promise.all(['c', 'd', 'e'].map((pod) => ranges.rangeOf(pod)))).length, 3)
})

test('a handler that cannot do it is named in upstream’s words', () => {
  const handler = (name: string, userNamespaces: boolean) => ({ name, userNamespaces, recursiveReadOnly: false })
  const known = [handler('', true), handler('old', false)]
  assert.equal(userNamespaceRefusal('', known), undefined)
  const start = "can't set `spec.hostUsers: false`,"
  assert.equal(userNamespaceRefusal('', []), `${start} runtime does not support user namespaces`)
  const old = `${start} RuntimeClass handler "old" does not support user namespaces`
  assert.equal(userNamespaceRefusal('old', known), old)
  const lost = `${start} RuntimeClass handler "lost" does not support user namespaces: the handler "lost" is not known`
  assert.equal(userNamespaceRefusal('lost', known), lost)
})
