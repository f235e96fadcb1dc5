import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VolumeMount } from '#api/types/core.v1.ts'
import { isRecursivelyReadOnly } from './recursive-read-only.ts'

const base: VolumeMount = { name: 'v', mountPath: '/v', readOnly: true }
const asked = 'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is'

const cases: readonly (readonly [Partial<VolumeMount>, isSupported: boolean, answer: boolean | string])[] = [
  [{}, true, false],
  [{ recursiveReadOnly: 'Disabled' }, true, false],
  [{ recursiveReadOnly: 'IfPossible' }, true, true],
  [{ recursiveReadOnly: 'IfPossible' }, false, false],
  [{ recursiveReadOnly: 'Enabled' }, true, true],
  [{ recursiveReadOnly: 'Enabled' }, false, `${asked} not supported by the runtime`],
  [{ recursiveReadOnly: 'IfPossible', readOnly: false }, true, `${asked} not read-only`],
  [
    { recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' },
    true,
    `${asked} not compatible with propagation "HostToContainer"`,
  ],
]

for (const [fields, isSupported, answer] of cases) {
  test(`${JSON.stringify(fields)} on a runtime that can${isSupported ? '' : 'not'}`, () => {
    const decide = (): boolean => isRecursivelyReadOnly({ ...base, ...fields }, isSupported)
    if (typeof answer === 'boolean') assert.equal(decide(), answer)
    else assert.throws(decide, { message: answer })
  })
}
