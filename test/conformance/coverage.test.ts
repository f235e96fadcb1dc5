/**
 * Goal: no conformance behaviour of an area that we claim loses its test. Method: every title must stand, as a literal, in
 * a test file; `behaviour()` refuses titles that do not exist, so the two lists cannot drift apart.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { conformanceBehaviours } from './behaviour.ts'

/** An area enters this list with the test of its last behaviour. */
const claimedAreas: readonly string[] = [
  'apimachinery/aggregated_discovery',
  'apimachinery/aggregator',
  'apimachinery/chunking',
  'apimachinery/crd_conversion_webhook',
  'apimachinery/crd_publish_openapi',
  'apimachinery/crd_selectable_fields',
  'apimachinery/crd_watch',
  'apimachinery/custom_resource_definition',
  'apimachinery/discovery',
  'apimachinery/field_validation',
  'apimachinery/flowcontrol',
  'apimachinery/garbage_collector',
  'apimachinery/mutatingadmissionpolicy',
  'apimachinery/namespace',
  'apimachinery/resource_quota',
  'apimachinery/server_version',
  'apimachinery/table_conversion',
  'apimachinery/validatingadmissionpolicy',
  'apimachinery/watch',
  'apimachinery/webhook',
  'apps/controller_revision',
  'apps/cronjob',
  'apps/daemon_set',
  'apps/deployment',
  'apps/disruption',
  'apps/job',
  'apps/rc',
  'apps/replica_set',
  'apps/statefulset',
  'architecture/conformance',
  'auth/certificates',
  'auth/service_accounts',
  'auth/subjectreviews',
  'common/network/networking',
  'common/node/configmap',
  'common/node/container_probe',
  'common/node/containers',
  'common/node/downwardapi',
  'common/node/ephemeral_containers',
  'common/node/expansion',
  'common/node/image_volume',
  'common/node/init_container',
  'common/node/kubelet',
  'common/node/kubelet_etc_hosts',
  'common/node/lease',
  'common/node/lifecycle_hook',
  'common/node/pod_resize',
  'common/node/pods',
  'common/node/podtemplates',
  'common/node/runtime',
  'common/node/runtimeclass',
  'common/node/secrets',
  'common/node/security_context',
  'common/node/sysctl',
  'common/storage/configmap_volume',
  'common/storage/downwardapi_volume',
  'common/storage/empty_dir',
  'common/storage/projected_combined',
  'common/storage/projected_configmap',
  'common/storage/projected_downwardapi',
  'common/storage/projected_secret',
  'common/storage/secrets_volume',
  'dra/dra',
  'instrumentation/core_events',
  'instrumentation/events',
  'kubectl/kubectl',
  'kubectl/logs',
  'network/apiserver',
  'network/dns',
  'network/endpoints',
  'network/endpointslice',
  'network/endpointslicemirroring',
  'network/hostport',
  'network/ingress',
  'network/ingressclass',
  'network/proxy',
  'network/service',
  'network/service_cidrs',
  'network/service_latency',
  'node/node_lifecycle',
  'node/pods',
  'node/pre_stop',
  'node/security_context',
  'node/taints',
  'scheduling/limit_range',
  'scheduling/predicates',
  'scheduling/preemption',
  'storage/csi_inline',
  'storage/csi_node',
  'storage/csistoragecapacity',
  'storage/empty_dir_wrapper',
  'storage/persistent_volumes',
  'storage/storageclass',
  'storage/subpath',
  'storage/volume_attachment',
  'storage/volumeattributesclass',
]

const root = `${import.meta.dirname}/../..`
const tests = globSync('{src,test}/**/*.{test,case}.ts', { cwd: root })
  .map((file) => readFileSync(`${root}/${file}`, 'utf8'))
  .join('\n')

const isShown = (title: string): boolean =>
  tests.includes(`'${title.replaceAll("'", String.raw`\'`)}'`) || tests.includes(`"${title}"`)

for (const area of claimedAreas) {
  test(`every behaviour of ${area} has a test`, () => {
    const missing = (conformanceBehaviours[area] ?? ['the area itself']).filter((title) => !isShown(title))
    assert.deepEqual(missing, [])
  })
}

test('the conformance behaviours that have a test are counted', (context) => {
  const titles = Object.values(conformanceBehaviours).flat()
  context.diagnostic(`${titles.filter(isShown).length} of ${titles.length} conformance behaviours have a test`)
  assert.equal(titles.length, 446)
})
