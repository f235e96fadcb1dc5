import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from './clock.ts'
import { textLog } from './text-log.ts'

test('lines are those of programs of Kubernetes', () => {
  const lines: string[] = []
  const clock = manualClock(new Date(2026, 0, 31, 9, 5, 7, 42).getTime())
  const log = textLog({ clock, level: 'info', pid: 1234, write: (line) => lines.push(line) })
  log.with({ component: 'kubelet' }).warn('pod "a" not stopped', { tries: 2, error: new Error('no answer') })
  log.info('ready')
  log.debug('not written')
  assert.deepEqual(lines, [
    'W0131 09:05:07.042000    1234 kubelet] "pod \\"a\\" not stopped" tries=2 error="no answer"',
    'I0131 09:05:07.042000    1234 coracle] "ready"',
  ])
})
