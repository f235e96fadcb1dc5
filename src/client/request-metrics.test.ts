import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '#api/meta/status.ts'
import { configMaps } from '#api/types/resources.ts'
import { manualClock } from '#lib/clock.ts'
import { formatMetrics } from '#lib/metrics/metric.ts'
import type { Transport } from './client.ts'
import { createClient } from './create-client.ts'
import { RequestMetrics } from './request-metrics.ts'

test('requests are counted by method and outcome, watches when they begin', async () => {
  const clock = manualClock()
  const transport: Transport = {
    async request({ method, path }) {
      await clock.advance(200)
      if (path.endsWith('/lost')) throw new Error('the connection broke')
      if (method === 'GET') throw notFound({ group: '', resource: 'configmaps', name: 'a' })
      return {}
    },
    async *watch() {
      yield { type: 'BOOKMARK', object: { metadata: { resourceVersion: '1' } } } as never
    },
    as: () => transport,
  }
  const metrics = new RequestMetrics({ host: 'here', clock })
  const maps = createClient(transport).observed(metrics.observe).resource(configMaps, 'n')
  await assert.rejects(maps.get('a'))
  await assert.rejects(maps.get('lost'))
  await maps.create({ metadata: { name: 'a' } })
  for await (const event of maps.watch({ resourceVersion: '0' })) assert.equal(event.type, 'BOOKMARK')
  const text = formatMetrics(metrics.families.map((family) => family.read()))
  const counted = text.split('\n').filter((line) => line.startsWith('rest_client_requests_total'))
  assert.deepEqual(counted, [
    'rest_client_requests_total{code="404",host="here",method="GET"} 1',
    'rest_client_requests_total{code="<error>",host="here",method="GET"} 1',
    'rest_client_requests_total{code="201",host="here",method="POST"} 1',
    'rest_client_requests_total{code="200",host="here",method="GET"} 1',
  ])
  assert.match(text, /rest_client_request_duration_seconds_bucket\{host="here",verb="POST",le="0.25"\} 1/)
})
