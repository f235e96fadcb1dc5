import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { httpProbe } from './http-probe.ts'
import type { ProbeOutcome } from './probe-outcome.ts'

interface Asked {
  readonly port: number
  /** What was sent for each request. */
  readonly requests: string[]
}

/** Answers each path with just these bytes, and ends unless the text ends in `…`. */
async function server(t: TestContext, answers: Readonly<Record<string, string>>): Promise<Asked> {
  const requests: string[] = []
  const listener = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      const text = data.toString('latin1')
      requests.push(text)
      const answer = answers[text.split(' ')[1] ?? ''] ?? 'HTTP/1.1 404 Not Found\r\n\r\n'
      if (answer.endsWith('…')) socket.write(answer.slice(0, -1), 'latin1')
      else socket.end(answer, 'latin1')
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => void listener.close())
  return { port: (listener.address() as AddressInfo).port, requests }
}

const ask = ({ port }: Asked, path: string, timeoutMs = 5_000): Promise<ProbeOutcome> =>
  httpProbe({ path, port }, { podIp: '127.0.0.1', port, timeoutMs })

test('servers may be sloppy', async (t) => {
  const asked = await server(t, {
    '/bare-line-feeds': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    '/no-reason': 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    '/old': 'HTTP/1.0 200 OK\r\n\r\nbody',
    '/folded': 'HTTP/1.1 204 No Content\r\nX: a\r\n b\r\n\r\n',
    '/large-header': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\nContent-Length: 2\r\n\r\nok`,
    '/large-body': `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(11_000)}…`,
  })
  for (const path of ['/bare-line-feeds', '/no-reason', '/old', '/folded', '/large-header', '/large-body'])
    assert.deepEqual(await ask(asked, path), { ok: true, message: '' }, path)
})

test('what fails, what says nothing, and in which words', async (t) => {
  const asked = await server(t, {
    '/bad': 'HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret',
    '/cut': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    '/stalled': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf…',
    '/silent': '…',
  })
  const at = `http://127.0.0.1:${asked.port}`
  const failure = (message: string): ProbeOutcome => ({ ok: false, message })
  assert.deepEqual(await ask(asked, '/bad'), failure('HTTP probe failed with statuscode: 500'))
  assert.deepEqual(await ask(asked, '/cut'), { ...failure(`Get "${at}/cut": unexpected EOF`), isError: true })
  const stalled = 'context deadline exceeded (Client.Timeout or context cancellation while reading body)'
  assert.deepEqual(await ask(asked, '/stalled', 50), { ...failure(stalled), isError: true })
  const silent = `Get "${at}/silent": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
  assert.deepEqual(await ask(asked, '/silent', 50), failure(silent))
  const refused = await httpProbe({ port: 1 }, { podIp: '127.0.0.1', port: 1, timeoutMs: 1_000 })
  assert.deepEqual(refused, failure('Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused'))
})

test('redirects are followed on the same host, and warned of where they lead elsewhere', async (t) => {
  const to = (location: string): string => `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
  const asked = await server(t, {
    '/here': to('/ok'),
    '/bad': to('/gone'),
    '/loop': to('/loop'),
    '/away': to('http://elsewhere.example/'),
    '/nowhere': 'HTTP/1.1 304 Not Modified\r\n\r\n',
    '/strange': to('ftp://127.0.0.1/'),
    '/ok': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  })
  const outcomes = []
  for (const path of ['/here', '/bad', '/loop', '/away', '/nowhere', '/strange']) outcomes.push(await ask(asked, path))
  const warning = { ok: true, message: 'Probe terminated redirects, Response body: ' }
  assert.deepEqual(outcomes, [
    { ok: true, message: '' },
    { ok: false, message: 'HTTP probe failed with statuscode: 404' },
    { ok: false, message: 'Get "/loop": stopped after 10 redirects' },
    warning,
    warning,
    { ok: false, message: 'Get "ftp://127.0.0.1/": unsupported protocol scheme "ftp"' },
  ])
})

test('headers are sent as often as they are given, and an empty one takes away the usual', async (t) => {
  const asked = await server(t, { '/': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' })
  const httpHeaders = [
    { name: 'X-A', value: '1' },
    { name: 'x-a', value: '2' },
    { name: 'Host', value: 'virtual.example' },
    { name: 'Accept', value: '' },
  ]
  const { port } = asked
  await httpProbe({ port, httpHeaders }, { podIp: '127.0.0.1', port, timeoutMs: 5_000 })
  const lines = (asked.requests[0] ?? '').split('\r\n').map((line) => line.toLowerCase())
  assert.deepEqual(
    lines.filter((line) => /^(x-a|host|accept|user-agent):/.test(line)),
    ['x-a: 1', 'x-a: 2', 'host: virtual.example', 'user-agent: kube-probe/1.36'],
  )
})
