import type { Draft } from '#api/kind.ts'
import type { ResourceSlice } from '#api/types/resource.v1.ts'
import { setTaintTimes } from '#api/resource/v1/device-defaults.ts'
import { formatTime } from '#lib/clock.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'

/** A taint of a device counts from when it was set: tolerations may end some time after. */
export const resourceSliceBehaviour: ResourceBehaviour = {
  beforeUpdate({ server }, draft) {
    const { spec } = draft as unknown as Draft<ResourceSlice>
    for (const { taints } of spec.devices ?? []) setTaintTimes(taints, formatTime(server.clock.now()))
  },
}
