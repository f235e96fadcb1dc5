import type { Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'

/** Records events about one container of a pod: their field path is such as `spec.containers{web}`. */
export function containerEvents(
  events: EventRecorder,
  pod: Pod,
  container: string,
): (type: 'Normal' | 'Warning', reason: string, message: string) => void {
  const fieldPath = fieldPathOf(pod, container)
  return (type, reason, message) => events.record(pod, type, reason, message, { fieldPath })
}

function fieldPathOf({ spec }: Pod, name: string): string {
  if (spec.initContainers?.some((container) => container.name === name)) return `spec.initContainers{${name}}`
  if (spec.ephemeralContainers?.some((container) => container.name === name)) return `spec.ephemeralContainers{${name}}`
  return `spec.containers{${name}}`
}
