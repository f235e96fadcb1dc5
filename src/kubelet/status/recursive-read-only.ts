import type { VolumeMount } from '#api/types/core.v1.ts'

/**
 * Whether what is mounted below the volume is read-only too (KEP-3857), where the runtime can do that. Throws for a mount
 * that must be and cannot.
 */
export function isRecursivelyReadOnly(mount: VolumeMount, isSupported: boolean): boolean {
  const { name, recursiveReadOnly = 'Disabled', readOnly, mountPropagation = 'None' } = mount
  if (recursiveReadOnly === 'Disabled') return false
  const asked = `failed to resolve recursive read-only mode: volume "${name}" requested recursive read-only mode, but it is`
  if (readOnly !== true) throw new Error(`${asked} not read-only`)
  if (mountPropagation !== 'None') throw new Error(`${asked} not compatible with propagation "${mountPropagation}"`)
  if (!isSupported && recursiveReadOnly === 'Enabled') throw new Error(`${asked} not supported by the runtime`)
  return isSupported
}
