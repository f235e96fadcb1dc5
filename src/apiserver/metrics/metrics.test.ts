import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, testServer } from '../server.case.ts'

test('the metrics count requests, objects and watches', async () => {
  const { call, watch, close } = await testServer()
  await call('POST /api/v1/namespaces/default/configmaps', { body: configMap('a') })
  await call('GET /api/v1/namespaces/default/configmaps/none')
  await watch('/api/v1/configmaps')
  const { text, headers } = await call('GET /metrics')
  const labels = 'group="",version="v1",resource="configmaps",subresource=""'
  for (const line of [
    `apiserver_request_total{verb="POST",${labels},scope="resource",component="apiserver",code="201"} 1`,
    `apiserver_request_total{verb="GET",${labels},scope="resource",component="apiserver",code="404"} 1`,
    `apiserver_request_duration_seconds_count{verb="POST",${labels},scope="resource",component="apiserver"} 1`,
    `apiserver_request_sli_duration_seconds_count{verb="POST",${labels},scope="resource",component="apiserver"} 1`,
    'kubernetes_feature_enabled{name="ComponentStatusz",stage="BETA"} 1',
    'apiserver_storage_objects{resource="configmaps"} 1',
    'apiserver_registered_watchers{group="",version="v1",kind="ConfigMap"} 1',
    'apiserver_current_inflight_requests 1',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
  assert.doesNotMatch(text, /sli_duration_seconds_count\{verb="WATCH"/)
  assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
  await close()
})

test('what health checks have found is told apart from other metrics', async () => {
  const { call, close } = await testServer()
  await call('GET /readyz')
  await call('GET /livez')
  await call('GET /livez')
  const { text } = await call('GET /metrics/slis')
  for (const line of [
    'kubernetes_healthcheck{name="etcd",type="readyz"} 1',
    'kubernetes_healthchecks_total{name="ping",status="success",type="livez"} 2',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
  await close()
})
