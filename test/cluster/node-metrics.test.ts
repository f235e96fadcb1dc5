/**
 * Goal: metrics-server, kubectl top and the rules and dashboards of kube-prometheus find what they look for on a node.
 * Method: one real node with a pod that works, mounts a volume and is held back by its quota; the pages are scraped as
 * those tools scrape them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '#api/types/core.v1.ts'
import { configMaps } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox } from './harness/test-space.ts'

const shared = sharedCluster()

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

function parse(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, inner = '', value] = /^([a-z_:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (name === undefined) return []
    const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', label = '']) => [key, label])
    return [{ name, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) }]
  })
}

async function page(path: string): Promise<unknown> {
  return shared.client.raw({ method: 'GET', path: `/api/v1/nodes/node-1/proxy/${path}` })
}

async function scrape(path: string): Promise<readonly Sample[]> {
  return parse((await page(path)) as string)
}

type Labels = Readonly<Record<string, string>>

function sampleOf(samples: readonly Sample[], name: string, labels: Labels = {}): Sample | undefined {
  const wanted = Object.entries(labels)
  return samples.find((each) => each.name === name && wanted.every(([key, value]) => each.labels[key] === value))
}

function found(samples: readonly Sample[], name: string, labels: Labels = {}): Sample {
  return sampleOf(samples, name, labels) ?? assert.fail(`no ${name} with ${JSON.stringify(labels)}`)
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** What the rules, alerts and dashboards of kube-prometheus ask of every container with a quota. */
const containerFamilies = words(`
  container_cpu_usage_seconds_total container_cpu_user_seconds_total container_cpu_system_seconds_total
  container_cpu_cfs_periods_total container_cpu_cfs_throttled_periods_total container_cpu_cfs_throttled_seconds_total
  container_memory_working_set_bytes container_memory_rss container_memory_cache container_memory_swap
  container_memory_usage_bytes container_memory_max_usage_bytes container_memory_failcnt container_memory_failures_total
  container_memory_mapped_file container_fs_usage_bytes container_start_time_seconds container_last_seen
  container_spec_cpu_quota container_spec_cpu_period container_spec_cpu_shares container_spec_memory_limit_bytes
  container_processes container_threads`)
const networkFamilies = ['bytes', 'packets', 'packets_dropped', 'errors'].flatMap((what) =>
  ['receive', 'transmit'].map((way) => `container_network_${way}_${what}_total`),
)
const kubeletFamilies = words(`
  kubelet_node_name kubelet_running_pods kubelet_running_containers kubelet_runtime_operations_total
  kubelet_runtime_operations_duration_seconds_bucket kubelet_pod_worker_duration_seconds_bucket
  kubelet_pod_start_duration_seconds_count kubelet_cgroup_manager_duration_seconds_bucket
  storage_operation_duration_seconds_bucket volume_manager_total_volumes kubelet_started_pods_total
  kubelet_started_containers_total kubelet_active_pods kubelet_desired_pods
  kubelet_topology_manager_admission_requests_total kubelet_cpu_manager_pinning_requests_total
  kubelet_pod_start_total_duration_seconds_bucket kubelet_run_podsandbox_duration_seconds_bucket
  rest_client_requests_total rest_client_request_duration_seconds_bucket
  process_resident_memory_bytes process_cpu_seconds_total kubernetes_build_info`)

const spec: Partial<PodSpec> = {
  volumes: [{ name: 'map', configMap: { name: 'map' } }],
  containers: [
    {
      name: 'main',
      image: busybox,
      command: ['sh', '-c', 'while true; do :; done'],
      resources: { limits: { cpu: '100m', memory: '64Mi' } },
      volumeMounts: [{ name: 'map', mountPath: '/map' }],
    },
  ],
}

test('every page has what its readers look for, with upstream’s names, labels and meanings', { skip }, async (t) => {
  const space = await shared.space(t)
  await space.of(configMaps).create({ metadata: { name: 'map' }, data: { a: '1' } })
  await space.start({ name: 'busy', spec })
  const { namespace } = space
  const own = { namespace, pod: 'busy', container: 'main' }

  await t.test('/metrics/cadvisor', async () => {
    const throttled = async (): Promise<readonly Sample[] | undefined> => {
      const samples = await scrape('metrics/cadvisor')
      const periods = sampleOf(samples, 'container_cpu_cfs_throttled_periods_total', own)?.value ?? 0
      return periods > 0 ? samples : undefined
    }
    const samples = await eventually(throttled, { what: 'the busy container is held back' })
    for (const family of containerFamilies) {
      const { labels } = found(samples, family, own)
      assert.match(labels['id'] ?? '', /\/pod[-0-9a-f]+\/[0-9a-f]{64}$/, family)
      assert.equal(labels['image'], busybox, family)
    }
    for (const family of networkFamilies) found(samples, family, { namespace, pod: 'busy', interface: 'eth0' })
    const value = (family: string): number => found(samples, family, own).value
    assert.deepEqual(
      words('container_spec_cpu_quota container_spec_cpu_period container_spec_memory_limit_bytes').map(value),
      [10_000, 100_000, 64 * 1024 ** 2],
    )
    assert.ok(value('container_cpu_usage_seconds_total') > 0)
    assert.equal(value('container_processes'), 1)
    assert.ok(found(samples, 'machine_cpu_cores').value >= 1)
    assert.ok(found(samples, 'machine_memory_bytes').value > 0)
    found(samples, 'container_cpu_usage_seconds_total', { id: '/' })
  })

  await t.test('/metrics', async () => {
    const samples = await scrape('metrics')
    for (const family of kubeletFamilies) found(samples, family)
    found(samples, 'volume_manager_total_volumes', {
      plugin_name: 'kubernetes.io/configmap',
      state: 'actual_state_of_world',
    })
    const mounts = { volume_plugin: 'kubernetes.io/configmap', operation_name: 'volume_mount', status: 'success' }
    assert.ok(found(samples, 'storage_operation_duration_seconds_count', mounts).value >= 1)
    assert.ok(found(samples, 'rest_client_requests_total', { method: 'PATCH', code: '200' }).value >= 1)
    assert.ok(found(samples, 'kubelet_topology_manager_admission_requests_total').value >= 1)
    assert.ok(found(samples, 'kubelet_certificate_manager_server_ttl_seconds').value > 3600)
    assert.equal(found(samples, 'kubelet_node_name').labels['node'], 'node-1')
  })

  await t.test('/metrics/resource and /stats/summary, as metrics-server reads them', async () => {
    const samples = await scrape('metrics/resource')
    for (const family of words(
      'container_cpu_usage_seconds_total container_memory_working_set_bytes container_start_time_seconds',
    ))
      found(samples, family, own)
    for (const family of words('pod_cpu_usage_seconds_total pod_memory_working_set_bytes'))
      found(samples, family, { namespace, pod: 'busy' })
    for (const family of words('node_cpu_usage_seconds_total node_memory_working_set_bytes')) found(samples, family)
    assert.equal(found(samples, 'resource_scrape_error').value, 0)
    interface Summary {
      readonly node: { readonly cpu: object; readonly memory: { readonly workingSetBytes: number } }
      readonly pods: readonly {
        readonly podRef: { readonly name: string }
        readonly cpu: { readonly usageCoreNanoSeconds: number }
      }[]
    }
    const summary = (await page('stats/summary')) as Summary
    assert.ok(summary.node.memory.workingSetBytes > 0)
    const busy = summary.pods.find(({ podRef }) => podRef.name === 'busy')
    assert.ok((busy?.cpu.usageCoreNanoSeconds ?? 0) > 0)
  })
})
