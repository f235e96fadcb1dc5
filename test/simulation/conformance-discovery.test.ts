/** Goal: clients find out what is served and by which version of the server. Method: the API server in this process. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createAuthorizers } from '#apiserver/authz/authorizers.ts'
import { GrantIndex } from '#apiserver/authz/rbac-grants.ts'
import { testServer, type TestServer } from '#apiserver/server.case.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'

async function cluster(t: TestContext): Promise<TestServer> {
  const server = await testServer()
  t.after(() => server.close())
  return server
}

interface GroupVersion {
  readonly groupVersion: string
  readonly version: string
}

interface Group {
  readonly name: string
  readonly versions: readonly GroupVersion[]
  readonly preferredVersion: GroupVersion
}

async function read<T>(server: TestServer, path: string): Promise<T> {
  const { code, object } = await server.call(`GET ${path}`)
  assert.equal(code, 200, path)
  return object as never
}

async function groupsOf(server: TestServer): Promise<readonly Group[]> {
  const { groups } = await read<{ groups: readonly Group[] }>(server, '/apis')
  assert.ok(groups.length > 15, 'every group is listed')
  return groups
}

behaviour('apimachinery/discovery', 'Discovery should validate PreferredVersion for each APIGroup', async (t) => {
  const server = await cluster(t)
  for (const { name, preferredVersion } of await groupsOf(server)) {
    const group = await read<Group>(server, `/apis/${name}`)
    assert.deepEqual(group.preferredVersion, preferredVersion)
    assert.ok(group.versions.some(({ groupVersion }) => groupVersion === preferredVersion.groupVersion))
  }
})

/** One resource of each group, as clients have long known it. */
const known: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io': 'validatingwebhookconfigurations',
  'apiextensions.k8s.io': 'customresourcedefinitions',
  'apiregistration.k8s.io': 'apiservices',
  apps: 'deployments',
  'authentication.k8s.io': 'tokenreviews',
  'authorization.k8s.io': 'selfsubjectaccessreviews',
  autoscaling: 'horizontalpodautoscalers',
  batch: 'jobs',
  'certificates.k8s.io': 'certificatesigningrequests',
  'coordination.k8s.io': 'leases',
  'discovery.k8s.io': 'endpointslices',
  'events.k8s.io': 'events',
  'networking.k8s.io': 'ingresses',
  'node.k8s.io': 'runtimeclasses',
  policy: 'poddisruptionbudgets',
  'scheduling.k8s.io': 'priorityclasses',
}

behaviour(
  'apimachinery/discovery',
  'Discovery should locate the groupVersion and a resource within each APIGroup',
  async (t) => {
    const server = await cluster(t)
    const groups = await groupsOf(server)
    for (const [name, resource] of Object.entries(known)) {
      const group = groups.find((served) => served.name === name)
      assert.ok(group, name)
      for (const { groupVersion, version } of group.versions) {
        assert.equal(groupVersion, `${name}/${version}`)
        const list = await read<{ groupVersion: string; resources: readonly { name: string; namespaced: boolean }[] }>(
          server,
          `/apis/${groupVersion}`,
        )
        assert.equal(list.groupVersion, groupVersion)
        assert.ok(list.resources.length > 0, groupVersion)
        if (groupVersion !== group.preferredVersion.groupVersion) continue
        assert.ok(
          list.resources.some((served) => served.name === resource),
          `${groupVersion} has ${resource}`,
        )
      }
    }
  },
)

behaviour('apimachinery/server_version', 'server version should find the server version', async (t) => {
  const version = await read<{ major: string; minor: string; gitVersion: string }>(await cluster(t), '/version')
  assert.match(version.major, /^\d+$/)
  assert.match(version.minor, /^\d+$/)
  assert.match(version.gitVersion, new RegExp(`^v${version.major}\\.${version.minor}\\.`))
})

behaviour(
  'apimachinery/table_conversion',
  'Servers with support for Table transformation should return a 406 for a backend which does not implement metadata',
  async (t) => {
    const server = await testServer({
      authorizers: createAuthorizers,
      reviews: (reader, authorizers) => ({
        authorizers,
        grants: new GrantIndex(reader),
        tokens: [],
        audiences: [],
        clock: systemClock,
      }),
    })
    t.after(() => server.close())
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    }
    const { code, object } = await server.call('POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body,
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    assert.deepEqual([code, object.reason], [406, 'NotAcceptable'])
  },
)
