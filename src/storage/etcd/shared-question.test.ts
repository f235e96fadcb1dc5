import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { SharedQuestion } from './shared-question.ts'

test('who comes while a question is under way shares the next one', async () => {
  const answers: ((answer: number) => void)[] = []
  const question = new SharedQuestion(() => new Promise<number>((resolve) => answers.push(resolve)))
  const first = question.ask()
  const later = [question.ask(), question.ask()]
  assert.equal(answers.length, 1)
  answers[0]?.(1)
  assert.equal(await first, 1)
  await setImmediate()
  assert.equal(answers.length, 2)
  const last = question.ask()
  answers[1]?.(2)
  assert.deepEqual(await Promise.all(later), [2, 2])
  await setImmediate()
  answers[2]?.(3)
  assert.equal(await last, 3)
  await setImmediate()
  void question.ask()
  assert.equal(answers.length, 4)
})

test('a failed question fails those who wait for it, and no other', async () => {
  let count = 0
  const question = new SharedQuestion(async () => {
    if (count++ === 0) throw new Error('no answer')
    return count
  })
  const first = question.ask()
  const second = question.ask()
  await assert.rejects(first, /no answer/)
  assert.equal(await second, 2)
})
