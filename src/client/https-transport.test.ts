import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isStatusError, notFound } from '#api/meta/status.ts'
import { configMaps } from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { ConnectionError } from './connection-error.ts'
import { createClient } from './create-client.ts'
import { httpsTransport, type HttpsTransportOptions } from './https-transport.ts'

async function clientOf(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  options: Partial<HttpsTransportOptions> = {},
) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const transport = httpsTransport({ server: `http://127.0.0.1:${port}`, clock: systemClock, ...options })
  t.after(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  return createClient(transport)
}

function json(response: ServerResponse, code: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

test('requests carry path, query, content type and body; answers are frozen', async (t) => {
  const seen: unknown[] = []
  const client = await clientOf(t, (request, response, body) => {
    seen.push([request.method, request.url, request.headers['content-type'], JSON.parse(body)])
    json(response, 200, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { x: '1' } })
  })
  const maps = client.resource(configMaps, 'default')
  const answer = await maps.patch('a b', { type: 'merge', patch: { data: { x: '1' } } }, { fieldManager: 'me' })
  assert.deepEqual(seen, [
    [
      'PATCH',
      '/api/v1/namespaces/default/configmaps/a%20b?fieldManager=me',
      'application/merge-patch+json',
      { data: { x: '1' } },
    ],
  ])
  assert.ok(Object.isFrozen(answer.data))
})

test('a list is unpacked and its items get their kind back', async (t) => {
  const client = await clientOf(t, (_request, response) => {
    const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '7', continue: 'more' } }
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    response.end(gzipSync(JSON.stringify({ ...list, items: [{ metadata: { name: 'a' } }] })))
  })
  const list = await client.resource(configMaps).list({ limit: 1 })
  assert.deepEqual(list, {
    items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }],
    resourceVersion: '7',
    continue: 'more',
  })
})

test('a Status becomes a StatusError, anything else one made from the code', async (t) => {
  const client = await clientOf(t, (request, response) => {
    if (request.url === '/text') response.writeHead(503).end('try later')
    else json(response, 404, notFound({ group: '', resource: 'configmaps', name: 'a' }).toStatus())
  })
  await assert.rejects(client.resource(configMaps, 'default').get('a'), (error: unknown) => {
    return isStatusError(error, 'NotFound') && error.message === 'configmaps "a" not found'
  })
  await assert.rejects(client.raw({ method: 'GET', path: '/text' }), (error: unknown) => {
    return isStatusError(error, 'ServiceUnavailable') && error.message === 'try later'
  })
})

test('watch events arrive whole however they are cut; ERROR is thrown', async (t) => {
  const client = await clientOf(t, (_request, response) => {
    const lines = [
      { type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'ä', resourceVersion: '2' } } },
      { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '5' } } },
      {
        type: 'ERROR',
        object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' },
      },
    ]
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    response.writeHead(200, { 'content-type': 'application/json' })
    const cut = bytes.indexOf(0xc3) + 1
    response.write(bytes.subarray(0, cut))
    setImmediate(() => response.end(bytes.subarray(cut)))
  })
  const seen: unknown[] = []
  const watching = (async () => {
    for await (const event of client.resource(configMaps).watch({ resourceVersion: '1' })) {
      seen.push(event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.name)
    }
  })()
  await assert.rejects(watching, (error: unknown) => isStatusError(error, 'Expired'))
  assert.deepEqual(seen, ['ä', '5'])
})

test('a watch that the server drops ends as ConnectionError, one that the caller aborts ends quietly', async (t) => {
  const client = await clientOf(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (request.url?.includes('resourceVersion=1')) setImmediate(() => response.destroy())
  })
  const drain = async (resourceVersion: string, signal?: AbortSignal): Promise<void> => {
    const options = { resourceVersion, ...(signal && { signal }) }
    for await (const _event of client.resource(configMaps).watch(options)) assert.fail('no event was sent')
  }
  await assert.rejects(drain('1'), ConnectionError)
  await drain('2', AbortSignal.timeout(50))
})

test('a refused token is refreshed once, and 429 waits for Retry-After', async (t) => {
  const tokens: (string | undefined)[] = []
  let busy = 1
  const client = await clientOf(
    t,
    (request, response) => {
      tokens.push(request.headers.authorization)
      const denied = { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'Unauthorized' }
      if (request.headers.authorization === 'Bearer old') json(response, 401, denied)
      else if (busy-- > 0) json(response, 429, { kind: 'Status', code: 429 }, { 'retry-after': '0' })
      else json(response, 200, { major: '1' })
    },
    { token: ({ refresh }) => (refresh ? 'new' : 'old') },
  )
  assert.deepEqual(await client.raw({ method: 'GET', path: '/version' }), { major: '1' })
  assert.deepEqual(tokens, ['Bearer old', 'Bearer new', 'Bearer new'])
})

test('no answer in time is a ConnectionError', async (t) => {
  const client = await clientOf(t, () => undefined, { requestTimeoutMs: 30 })
  await assert.rejects(client.raw({ method: 'GET', path: '/' }), /No answer within 30 ms/)
})

test('requests share few connections and never wait for watches', async (t) => {
  const connections = new Set<unknown>()
  const watched = Promise.withResolvers<void>()
  let watches = 0
  const client = await clientOf(
    t,
    (request, response) => {
      if (request.url?.includes('watch=')) {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
        if (++watches === 3) watched.resolve()
        return
      }
      connections.add(request.socket)
      json(response, 200, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } })
    },
    { maxConnections: 2 },
  )
  const maps = client.resource(configMaps, 'default')
  const ended = new AbortController()
  const watchOne = async (): Promise<void> => {
    for await (const _event of maps.watch({ resourceVersion: '1', signal: ended.signal })) break
  }
  const running = [watchOne(), watchOne(), watchOne()]
  await watched.promise
  await Promise.all(Array.from({ length: 10 }, () => maps.get('a')))
  assert.equal(connections.size, 2)
  ended.abort()
  await Promise.all(running)
})
