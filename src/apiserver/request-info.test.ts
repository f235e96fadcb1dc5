import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestInfo } from './request-info.ts'

/** Line, then verb, group/version, namespace, resource, subresource, name, rest; `-` for what is no resource. */
const lines: readonly (readonly [string, string])[] = [
  ['GET /api/v1/pods', 'list /v1 . pods . . .'],
  ['GET /api/v1/pods?watch=1', 'watch /v1 . pods . . .'],
  ['GET /api/v1/pods?watch=false', 'list /v1 . pods . . .'],
  ['GET /api/v1/pods?watch=maybe', 'watch /v1 . pods . . .'],
  ['GET /api/v1/watch/namespaces/n/pods/p', 'watch /v1 n pods . p .'],
  ['GET /api/v1/namespaces/n/pods/p?watch=1', 'get /v1 n pods . p .'],
  ['GET /api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp', 'list /v1 n pods . p .'],
  ['POST /apis/apps/v1/namespaces/n/deployments', 'create apps/v1 n deployments . . .'],
  ['PUT /apis/apps/v1/namespaces/n/deployments/d/scale', 'update apps/v1 n deployments scale d .'],
  ['PATCH /api/v1/nodes/n/status', 'patch /v1 . nodes status n .'],
  ['DELETE /api/v1/namespaces/n/pods', 'deletecollection /v1 n pods . . .'],
  ['DELETE /api/v1/namespaces/n', 'delete /v1 n namespaces . n .'],
  ['GET /api/v1/namespaces', 'list /v1 . namespaces . . .'],
  ['PUT /api/v1/namespaces/n/finalize', 'update /v1 n namespaces finalize n .'],
  ['GET /api/v1/namespaces/n/services/s/proxy/a/b', 'get /v1 n services proxy s a/b'],
  ['GET /api/v1/nodes/a%2Fb', 'get /v1 . nodes . a/b .'],
  ['GET /api/v1', '- get'],
  ['GET /apis/apps/v1', '- get'],
  ['POST /healthz', '- post'],
]

test('a request line is taken apart as Kubernetes does', () => {
  for (const [line, expected] of lines) {
    const [method = '', target = ''] = line.split(' ')
    const [path = '', query = ''] = target.split('?')
    const info = parseRequestInfo({ method, path, query: new URLSearchParams(query) })
    const { verb, group, version, namespace, resource, subresource, name, rest } = info
    const parts = [namespace, resource, subresource, name, rest].map((part) => part || '.').join(' ')
    assert.equal(info.isResourceRequest ? `${verb} ${group}/${version} ${parts}` : `- ${verb}`, expected, line)
  }
})
