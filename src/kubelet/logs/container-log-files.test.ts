import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ContainerLogFiles } from './container-log-files.ts'

test('links lead to the logs of containers, and both go together', async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'container-logs-'))
  t.after(() => rm(top, { recursive: true }))
  const links = join(top, 'containers')
  const folder = join(top, 'pods', 'ns_web_uid')
  await mkdir(join(folder, 'main'), { recursive: true })
  const run = (attempt: number) => ({
    id: `id${attempt}`,
    name: 'main',
    logPath: join(folder, 'main', `${attempt}.log`),
  })
  for (const name of ['1.log', '1.log.20260101-000000', '10.log', '2.log'])
    await writeFile(join(folder, 'main', name), name)
  const pod = { name: 'web', namespace: 'ns' }
  const files = new ContainerLogFiles(links)
  for (const attempt of [1, 2, 10, 1]) await files.link(pod, run(attempt))
  assert.deepEqual(await readdir(links), ['web_ns_main-id1.log', 'web_ns_main-id10.log', 'web_ns_main-id2.log'])
  assert.equal(await readFile(join(links, 'web_ns_main-id2.log'), 'utf8'), '2.log')
  await files.remove(pod, run(1))
  assert.deepEqual(await readdir(join(folder, 'main')), ['10.log', '2.log'])
  await files.link({ name: 'other', namespace: 'ns' }, { ...run(3), logPath: join(top, 'elsewhere') })
  await files.removeLinksInto(folder)
  assert.deepEqual(await readdir(links), ['other_ns_main-id3.log'])
  await files.link({ ...pod, name: 'n'.repeat(253) }, run(1))
  const lengths = (await readdir(links)).map((name) => name.length)
  assert.deepEqual(new Set(lengths), new Set([21, 255]))
})
