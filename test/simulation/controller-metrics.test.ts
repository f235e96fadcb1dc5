/**
 * Goal: dashboards and alerts made for Kubernetes' controllers find their figures. Method: a service and a job run in a
 * whole cluster of this process, and the controllers' metrics are read as text.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJobComplete } from '#api/batch/v1/job-facts.ts'
import { jobs, pods, services } from '#api/types/resources.ts'
import { formatMetrics } from '#lib/metrics/metric.ts'
import { smallCluster } from './small-cluster.ts'

test('controllers count what they do with upstream’s names', async (t) => {
  const cluster = await smallCluster(t)
  const { client, controllers } = cluster
  const container = { name: 'c', image: 'i' }
  const template = { metadata: { labels: { app: 'job' } }, spec: { restartPolicy: 'Never', containers: [container] } }
  const create = (name: string, spec: object) =>
    client.resource(jobs, 'test').create({ metadata: { name }, spec: { template, ...spec } } as never)
  await create('foreign', { managedBy: 'example.com/somebody' })
  const action = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }
  await create('job', { completions: 2, completionMode: 'Indexed', podFailurePolicy: { rules: [action] } })
  const spec = { selector: { app: 'job' }, ports: [{ port: 80 }] }
  await client.resource(services, 'test').create({ metadata: { name: 'web' }, spec } as never)
  for (let ended = 0; ended < 2; ended++) {
    const running = async () => {
      const { items } = await client.resource(pods, 'test').list()
      return items.find(({ status }) => status?.phase !== 'Succeeded')
    }
    await cluster.until('a pod is there', async () => (await running()) !== undefined)
    const pod = await running()
    const patch = { status: { phase: 'Succeeded' } }
    await client
      .resource(pods, 'test')
      .patch(pod?.metadata.name ?? '', { type: 'merge', patch }, { subresource: 'status' })
  }
  await cluster.until('the job is done', async () => isJobComplete(await client.resource(jobs, 'test').get('job')))
  await cluster.settle()
  const text = formatMetrics(controllers.metricFamilies())
  const wanted = [
    /^workqueue_depth\{name="deployment"\} 0$/m,
    /^workqueue_depth\{name="endpoint_slice"\} 0$/m,
    /^workqueue_adds_total\{name="job"\} [1-9]/m,
    /^workqueue_queue_duration_seconds_bucket\{name="job",le="1e-8"\} \d+$/m,
    /^workqueue_work_duration_seconds_count\{name="job"\} [1-9]/m,
    /^workqueue_unfinished_work_seconds\{name="replicaset"\} 0$/m,
    /^workqueue_longest_running_processor_seconds\{name="replicationmanager"\} 0$/m,
    /^job_controller_job_pods_finished_total\{completion_mode="Indexed",result="succeeded"\} 2$/m,
    /^job_controller_jobs_finished_total\{completion_mode="Indexed",result="succeeded",reason="CompletionsReached"\} 1$/m,
    /^job_controller_job_finished_indexes_total\{status="succeeded",backoffLimit="global"\} 2$/m,
    /^job_controller_jobs_by_external_controller_total\{controller_name="example.com\/somebody"\} 1$/m,
    /^endpoint_slice_controller_changes\{operation="create"\} [1-9]/m,
  ]
  for (const pattern of wanted) assert.match(text, pattern)
})
