/**
 * Goal: what conformance promises of ConfigMaps, Secrets, the downward API and variables in the environment and the
 * commands of containers. Method: one cluster; each pod prints what it was given.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Container, EnvVar, PodSpec } from '#api/types/core.v1.ts'
import { configMaps, nodes, pods, secrets } from '#api/types/resources.ts'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const options = { skip, concurrency: 6 }
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const printable = ['CONFIG_', '1-', 'p.', '~!@#$%^&*()_+']

/** What a container with the environment prints for `env`. */
function environment(space: TestSpace, container: Partial<Container>): Promise<string> {
  return space.output({ container: { command: ['env'], ...container } })
}

describe('ConfigMaps', options, () => {
  behaviour('common/node/configmap', 'ConfigMap should be consumable via environment variable', async (t) => {
    const space = await shared.space(t)
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { 'data-1': 'value-1' } })
    const valueFrom = { configMapKeyRef: { name: 'map', key: 'data-1' } }
    const log = await environment(space, { env: [{ name: 'CONFIG_DATA_1', valueFrom }] })
    assert.match(log, /^CONFIG_DATA_1=value-1$/m)
  })

  behaviour('common/node/configmap', 'ConfigMap should be consumable via the environment', async (t) => {
    const space = await shared.space(t)
    await space.of(configMaps).create({ metadata: { name: 'map' }, data: { data_1: 'value-1', data_2: 'value-2' } })
    const configMapRef = { name: 'map' }
    const log = await environment(space, { envFrom: [{ configMapRef }, { prefix: 'p_', configMapRef }] })
    for (const line of ['data_1=value-1', 'data_2=value-2', 'p_data_1=value-1', 'p_data_2=value-2'])
      assert.ok(log.split('\n').includes(line), line)
  })

  behaviour(
    'common/node/configmap',
    'ConfigMap should be consumable as environment variable names with various prefixes',
    async (t) => {
      const space = await shared.space(t)
      await space.of(configMaps).create({ metadata: { name: 'map' }, data: { 'data-1': 'value-1' } })
      const envFrom = printable.map((prefix) => ({ prefix, configMapRef: { name: 'map' } }))
      const log = await environment(space, { envFrom })
      for (const prefix of printable) assert.ok(log.split('\n').includes(`${prefix}data-1=value-1`), prefix)
    },
  )

  behaviour('common/node/configmap', 'ConfigMap should fail to create ConfigMap with empty key', async (t) => {
    const space = await shared.space(t)
    const made = space.of(configMaps).create({ metadata: { name: 'map' }, data: { '': 'value' } })
    await assert.rejects(made, /ConfigMap "map" is invalid: data\[\]: Invalid value: "": a valid config key must/)
  })

  behaviour('common/node/configmap', 'ConfigMap should update ConfigMap successfully', async (t) => {
    const space = await shared.space(t)
    const maps = space.of(configMaps)
    const made = await maps.create({ metadata: { name: 'map' } })
    await maps.update({ ...made, data: { a: '1' } })
    assert.deepEqual((await maps.get('map')).data, { a: '1' })
  })

  behaviour('common/node/configmap', 'ConfigMap should run through a ConfigMap lifecycle', async (t) => {
    const space = await shared.space(t)
    const maps = space.of(configMaps)
    await maps.create({ metadata: { name: 'map', labels: { is: 'static' } }, data: { a: '1' } })
    const patch = { metadata: { labels: { patched: 'true' } }, data: { a: 'patched' } }
    await maps.patch('map', { type: 'strategic', patch })
    const { metadata, data } = await maps.get('map')
    assert.deepEqual([metadata.labels, data], [{ is: 'static', patched: 'true' }, { a: 'patched' }])
    const all = await shared.client.resource(configMaps).list({ labelSelector: 'is=static' })
    assert.deepEqual(
      all.items.map((item) => [item.metadata.name, item.data?.['a']]),
      [['map', 'patched']],
    )
    await maps.deleteCollection({ labelSelector: 'is=static' })
    assert.deepEqual((await maps.list({ labelSelector: 'is=static' })).items, [])
  })
})

describe('Secrets', options, () => {
  behaviour('common/node/secrets', 'Secrets should be consumable from pods in env vars', async (t) => {
    const space = await shared.space(t)
    await space.of(secrets).create({ metadata: { name: 'secret' }, data: { 'data-1': base64('value-1') } })
    const valueFrom = { secretKeyRef: { name: 'secret', key: 'data-1' } }
    assert.match(await environment(space, { env: [{ name: 'SECRET_DATA', valueFrom }] }), /^SECRET_DATA=value-1$/m)
  })

  behaviour('common/node/secrets', 'Secrets should be consumable via the environment', async (t) => {
    const space = await shared.space(t)
    const data = { data_1: base64('value-1'), data_2: base64('value-2') }
    await space.of(secrets).create({ metadata: { name: 'secret' }, data })
    const secretRef = { name: 'secret' }
    const log = await environment(space, { envFrom: [{ secretRef }, { prefix: 'p_', secretRef }] })
    for (const line of ['data_1=value-1', 'data_2=value-2', 'p_data_1=value-1', 'p_data_2=value-2'])
      assert.ok(log.split('\n').includes(line), line)
  })

  behaviour(
    'common/node/secrets',
    'Secrets should be consumable as environment variable names variable names with various prefixes',
    async (t) => {
      const space = await shared.space(t)
      await space.of(secrets).create({ metadata: { name: 'secret' }, data: { 'data-1': base64('value-1') } })
      const envFrom = printable.map((prefix) => ({ prefix, secretRef: { name: 'secret' } }))
      const log = await environment(space, { envFrom })
      for (const prefix of printable) assert.ok(log.split('\n').includes(`${prefix}data-1=value-1`), prefix)
    },
  )

  behaviour('common/node/secrets', 'Secrets should fail to create secret due to empty secret key', async (t) => {
    const space = await shared.space(t)
    const made = space.of(secrets).create({ metadata: { name: 'secret' }, data: { '': base64('value') } })
    await assert.rejects(made, /Secret "secret" is invalid: data\[\]: Invalid value: "": a valid config key must/)
  })

  behaviour('common/node/secrets', 'Secrets should patch a secret', async (t) => {
    const space = await shared.space(t, { is: 'secrets' })
    const own = space.of(secrets)
    await own.create({ metadata: { name: 'secret', labels: { is: 'static' } }, data: { key: base64('value') } })
    const patch = { metadata: { labels: { patched: 'true' } }, data: { key: base64('value1') } }
    await own.patch('secret', { type: 'strategic', patch })
    const { metadata, data } = await own.get('secret')
    assert.deepEqual([metadata.labels, data], [{ is: 'static', patched: 'true' }, { key: base64('value1') }])
    await own.deleteCollection({ labelSelector: 'is=static' })
    assert.deepEqual((await shared.client.resource(secrets).list({ labelSelector: 'is=static' })).items, [])
  })
})

const fieldVariable = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } })
const resourceVariables: readonly EnvVar[] = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'].map(
  (resource) => ({ name: resource.replace('.', '_'), valueFrom: { resourceFieldRef: { resource } } }),
)

async function nodeAddress(): Promise<string> {
  const { status } = await shared.client.resource(nodes).get('node-1')
  return status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
}

describe('the downward API', options, () => {
  behaviour(
    'common/node/downwardapi',
    "Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars",
    async (t) => {
      const space = await shared.space(t)
      const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } }
      const log = await environment(space, { env: resourceVariables, resources })
      const amounts = ['limits_cpu=2', 'limits_memory=67108864', 'requests_cpu=1', 'requests_memory=33554432']
      for (const line of amounts) assert.ok(log.split('\n').includes(line), line)
    },
  )

  behaviour(
    'common/node/downwardapi',
    'Downward API should provide default limits.cpu/memory from node allocatable',
    async (t) => {
      const space = await shared.space(t)
      const log = await environment(space, { env: resourceVariables.slice(0, 2) })
      const { status } = await shared.client.resource(nodes).get('node-1')
      const { cpu = 0, memory } = resourceAmounts(status?.allocatable)
      assert.match(log, new RegExp(`^limits_cpu=${Math.ceil(cpu / 1000)}$`, 'm'))
      assert.match(log, new RegExp(`^limits_memory=${memory}$`, 'm'))
    },
  )

  behaviour('common/node/downwardapi', 'Downward API should provide host IP as an env var', async (t) => {
    const space = await shared.space(t)
    const log = await environment(space, { env: [fieldVariable('HOST_IP', 'status.hostIP')] })
    assert.ok(log.split('\n').includes(`HOST_IP=${await nodeAddress()}`), log)
  })

  behaviour('common/node/downwardapi', 'Downward API should provide hostIPs as an env var', async (t) => {
    const space = await shared.space(t)
    const log = await environment(space, { env: [fieldVariable('HOST_IPS', 'status.hostIPs')] })
    assert.ok(log.split('\n').includes(`HOST_IPS=${await nodeAddress()}`), log)
  })

  behaviour('common/node/downwardapi', 'Downward API should provide pod UID as env vars', async (t) => {
    const space = await shared.space(t)
    const { pod, log } = await space.run({
      script: 'env',
      container: { env: [fieldVariable('POD_UID', 'metadata.uid')] },
    })
    assert.ok(log.split('\n').includes(`POD_UID=${pod.metadata.uid}`), log)
  })

  behaviour(
    'common/node/downwardapi',
    'Downward API should provide pod name, namespace and IP address as env vars',
    async (t) => {
      const space = await shared.space(t)
      const fields = { NAME: 'metadata.name', NAMESPACE: 'metadata.namespace', IP: 'status.podIP' }
      const env = Object.entries(fields).map(([name, path]) => fieldVariable(`POD_${name}`, path))
      const { pod, log } = await space.run({ script: 'env', container: { env } })
      const { metadata, status } = pod
      const wanted = [`POD_NAME=${metadata.name}`, `POD_NAMESPACE=${space.namespace}`, `POD_IP=${status?.podIP}`]
      for (const line of wanted) assert.ok(log.split('\n').includes(line), `${line} in ${log}`)
    },
  )
})

describe('variables', options, () => {
  behaviour(
    'common/node/expansion',
    'Variable Expansion should allow composing env vars into new env vars',
    async (t) => {
      const space = await shared.space(t)
      const env = [
        { name: 'FOO', value: 'foo-value' },
        { name: 'BAR', value: 'bar-value' },
        { name: 'FOOBAR', value: '$(FOO);;$(BAR);;$$(FOO);;$(MISSING)' },
      ]
      const log = await environment(space, { env })
      assert.ok(log.split('\n').includes('FOOBAR=foo-value;;bar-value;;$(FOO);;$(MISSING)'), log)
    },
  )

  behaviour(
    'common/node/expansion',
    "Variable Expansion should allow substituting values in a container's command",
    async (t) => {
      const space = await shared.space(t)
      const command = ['sh', '-c', 'TEST_VAR=wrong echo "$(TEST_VAR)"']
      const env = [{ name: 'TEST_VAR', value: 'test-value' }]
      assert.equal(await space.output({ container: { command, env } }), 'test-value\n')
    },
  )

  behaviour(
    'common/node/expansion',
    "Variable Expansion should allow substituting values in a container's args",
    async (t) => {
      const space = await shared.space(t)
      const env = [{ name: 'TEST_VAR', value: 'test-value' }]
      const container = { command: ['sh', '-c'], args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'], env }
      assert.equal(await space.output({ container }), 'test-value\n')
    },
  )

  behaviour(
    'common/node/expansion',
    'Variable Expansion should allow substituting values in a volume subpath',
    async (t) => {
      const space = await shared.space(t)
      const spec = expandedVolume(
        fieldVariable('POD_NAME', 'metadata.name'),
        'test -d /testcontainer/pod && echo there',
        [
          { name: 'work', mountPath: '/logs', subPathExpr: '$(POD_NAME)' },
          { name: 'work', mountPath: '/testcontainer' },
        ],
      )
      assert.equal(await space.output({ spec }), 'there\n')
    },
  )

  for (const [title, value] of [
    ['Variable Expansion should fail substituting values in a volume subpath with absolute path', '/tmp'],
    ['Variable Expansion should fail substituting values in a volume subpath with backticks', '..'],
  ] as const) {
    behaviour('common/node/expansion', title, async (t) => {
      const space = await shared.space(t)
      const mounts = [{ name: 'work', mountPath: '/logs', subPathExpr: '$(PATH_OF_POD)' }]
      await space.create({ spec: expandedVolume({ name: 'PATH_OF_POD', value }, 'true', mounts) })
      await waitForConfigError(space)
    })
  }

  behaviour(
    'common/node/expansion',
    'Variable Expansion should succeed in writing subpaths in container',
    async (t) => {
      const space = await shared.space(t)
      const variable = fieldVariable('POD_NAME', "metadata.annotations['mysubpath']")
      const mounts = [
        { name: 'work', mountPath: '/subpath_mount', subPathExpr: '$(POD_NAME)' },
        { name: 'work', mountPath: '/volume_mount' },
      ]
      await space.start({ annotations: { mysubpath: 'mypath' }, spec: expandedVolume(variable, 'sleep 1000', mounts) })
      await space.exec('pod', 'main', 'touch', '/volume_mount/mypath/foo/../test.log').then(
        () => assert.fail('a folder that is not there was passed through'),
        () => undefined,
      )
      await space.exec('pod', 'main', 'touch', '/volume_mount/mypath/test.log')
      await space.exec('pod', 'main', 'test', '-f', '/subpath_mount/test.log')
      // What the path came of is not needed to take the volume down.
      await space.of(pods).patch('pod', { type: 'merge', patch: { metadata: { annotations: { mysubpath: 'other' } } } })
      await space.exec('pod', 'main', 'test', '-f', '/volume_mount/mypath/test.log')
      await space.of(pods).delete('pod')
      await space.waitGone(pods, 'pod')
    },
  )

  behaviour(
    'common/node/expansion',
    'Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container',
    async (t) => {
      const space = await shared.space(t)
      const variable = fieldVariable('POD_NAME', "metadata.annotations['mysubpath']")
      const mounts = [{ name: 'work', mountPath: '/subpath_mount', subPathExpr: '$(POD_NAME)' }]
      await space.create({
        annotations: { notmysubpath: 'mypath' },
        spec: expandedVolume(variable, 'sleep 1000', mounts),
      })
      await waitForConfigError(space)
      await space
        .of(pods)
        .patch('pod', { type: 'merge', patch: { metadata: { annotations: { mysubpath: 'mypath' } } } })
      await space.waitFor(pods, 'pod', isReady)
    },
  )
})

function expandedVolume(
  variable: EnvVar,
  script: string,
  volumeMounts: Container['volumeMounts'] = [],
): Partial<PodSpec> {
  const container = { name: 'main', image: 'coracle.test/busybox:1', command: ['sh', '-c', script] }
  return {
    containers: [{ ...container, env: [variable], volumeMounts }],
    volumes: [{ name: 'work', emptyDir: {} }],
  }
}

/** The container is refused for its configuration, and stays so: the event of a second try comes. */
async function waitForConfigError(space: TestSpace): Promise<void> {
  await space.waitFor(pods, 'pod', ({ status }) =>
    Boolean(status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError'),
  )
  const { status } = await space.of(pods).get('pod')
  assert.equal(status?.phase, 'Pending')
}
