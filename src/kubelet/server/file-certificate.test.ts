import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepAlive, systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { fileCertificate } from './file-certificate.ts'

test('a certificate in files is followed as it is renewed', async (t) => {
  using _alive = keepAlive()
  const folder = await mkdtemp(join(tmpdir(), 'coracle-certificate-'))
  t.after(() => rm(folder, { recursive: true }))
  const stop = new AbortController()
  const files = { certificateFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
  const options = { ...files, clock: systemClock, log: silentLog, signal: stop.signal }
  await assert.rejects(fileCertificate(options), /failed to load x509 key pair from .*tls.crt and .*tls.key: ENOENT/)
  await writeFile(files.certificateFile, 'certificate 1')
  await writeFile(files.keyFile, 'key 1')
  const serving = await fileCertificate(options)
  const { promise: renewed, resolve } = Promise.withResolvers<unknown>()
  const stopListening = serving.listen(resolve)
  await writeFile(join(folder, 'new'), 'certificate 2')
  await rename(join(folder, 'new'), files.certificateFile)
  assert.deepEqual(await renewed, { certificate: 'certificate 2', key: 'key 1' })
  assert.deepEqual(serving.current, { certificate: 'certificate 2', key: 'key 1' })
  stopListening()
  stop.abort()
})
