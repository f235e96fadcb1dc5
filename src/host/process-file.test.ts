import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { identify, isRunning } from './process-file.ts'

test('a process that has ended counts as gone, though nobody has taken note of its end', async (t) => {
  // The shell becomes a program that never asks after the child it was born with.
  const child = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const target = identify(pid)
  assert.ok(target)
  while (isRunning(target)) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(process.kill(pid, 0), true, 'its entry is still there')
  assert.equal(identify(pid), undefined)
})
