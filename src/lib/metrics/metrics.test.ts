import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter } from './counter.ts'
import { Histogram } from './histogram.ts'
import { formatMetrics } from './metric.ts'

test('the text that Prometheus reads', () => {
  const requests = new Counter({ name: 'requests_total', help: 'Number of requests.' })
  requests.add({ path: '/a"b\\c\n' })
  requests.add({ path: '/a"b\\c\n' }, 2)
  const seconds = new Histogram({ name: 'request_seconds', help: 'How long.', buckets: [0.1, 1] })
  for (const value of [0.1, 0.5, 7]) seconds.observe(value, { verb: 'GET' })
  const empty = new Counter({ name: 'nothing_total', help: 'Never counted.' })
  const gauge = {
    name: 'now',
    help: 'A\nB',
    type: 'gauge' as const,
    samples: [{ labels: {}, value: 1.5, timestampMs: 3.2 }],
  }
  const text = formatMetrics([requests.read(), seconds.read(), empty.read(), gauge])
  assert.equal(
    text,
    `# HELP requests_total Number of requests.
# TYPE requests_total counter
requests_total{path="/a\\"b\\\\c\\n"} 3
# HELP request_seconds How long.
# TYPE request_seconds histogram
request_seconds_bucket{verb="GET",le="0.1"} 1
request_seconds_bucket{verb="GET",le="1"} 2
request_seconds_bucket{verb="GET",le="+Inf"} 3
request_seconds_sum{verb="GET"} 7.6
request_seconds_count{verb="GET"} 3
# HELP now A\\nB
# TYPE now gauge
now 1.5 3
`,
  )
})

test('what is gone is forgotten', () => {
  const probes = new Counter({ name: 'p', help: 'p' })
  probes.add({ pod: 'a' })
  probes.add({ pod: 'b' })
  probes.forget(({ pod }) => pod === 'a')
  assert.deepEqual([...probes.read().samples], [{ labels: { pod: 'b' }, value: 1 }])
})
