import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runtimeKnowsCdi, withCdiEdits } from './cdi.ts'
import { noGrants, type ContainerGrants } from './container-grants.ts'

const json = JSON.stringify({
  cdiVersion: '0.6.0',
  kind: 'vendor.example/gpu',
  containerEdits: {
    env: ['DRIVER=/opt/a=b'],
    mounts: [{ hostPath: '/opt', containerPath: '/opt', options: ['ro', 'bind'] }],
  },
  devices: [
    {
      name: 'one',
      containerEdits: {
        env: ['ONE=1'],
        deviceNodes: [{ path: '/dev/gpu0', hostPath: '/dev/real0', permissions: 'rw' }],
      },
    },
    { name: 'two', containerEdits: { deviceNodes: [{ path: '/dev/gpu1' }] } },
    { name: 'hooked', containerEdits: { hooks: [{ hookName: 'createContainer', path: '/bin/true' }] } },
  ],
})
const yaml =
  'cdiVersion: 0.6.0\nkind: vendor.example/gpu\ndevices:\n- name: one\n  containerEdits:\n    env: [LATER=yes]\n'

function edits(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  ...cdiDevices: string[]
): Promise<ContainerGrants> {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-cdi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return withCdiEdits({ ...noGrants, env: [{ name: 'OWN', value: '1' }], cdiDevices }, ['/nowhere', folder])
}

test('devices bring their environment, nodes and mounts; what belongs to their kind comes once', async (t) => {
  assert.deepEqual(await edits(t, { 'a.json': json }, 'vendor.example/gpu=one', 'vendor.example/gpu=two'), {
    env: [
      { name: 'OWN', value: '1' },
      { name: 'DRIVER', value: '/opt/a=b' },
      { name: 'ONE', value: '1' },
    ],
    devices: [
      { containerPath: '/dev/gpu0', hostPath: '/dev/real0', permissions: 'rw' },
      { containerPath: '/dev/gpu1', hostPath: '/dev/gpu1', permissions: 'rwm' },
    ],
    mounts: [{ containerPath: '/opt', hostPath: '/opt', readOnly: true, propagation: 'private' }],
    annotations: {},
    cdiDevices: [],
  })
})

test('a later description of a device wins', async (t) => {
  const { env } = await edits(t, { 'a.json': json, 'b.yaml': yaml, 'c.txt': 'no spec' }, 'vendor.example/gpu=one')
  assert.deepEqual(
    env.map(({ name }) => name),
    ['OWN', 'LATER'],
  )
})

test('devices that nobody describes, and those that need hooks, are refused', async (t) => {
  await assert.rejects(edits(t, { 'a.json': json }, 'vendor.example/gpu=three'), {
    message: 'unresolvable CDI devices vendor.example/gpu=three',
  })
  await assert.rejects(edits(t, { 'a.json': json }, 'vendor.example/gpu=hooked'), /need hooks/)
})

test('which runtimes understand the names', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['containerd', '1.6.20~ds1', false],
    ['containerd', 'v1.7.0', true],
    ['containerd', '2.1.4', true],
    ['cri-o', '1.30.0', true],
  ]
  for (const [name, version, knows] of table) assert.equal(runtimeKnowsCdi({ name, version }), knows, version)
})
