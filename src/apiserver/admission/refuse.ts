import { forbidden, type StatusError } from '#api/meta/status.ts'
import type { AdmissionRequest } from './admission.ts'

/** The Forbidden with which a plugin refuses: `pods "web" is forbidden: why`. */
export function refuse(request: AdmissionRequest, why: string): StatusError {
  return forbidden({ group: request.info.group, resource: request.info.resource, name: nameOf(request) }, why)
}

/** Several reasons at once, as upstream joins them: `[first, second]`. */
export function refuseAll(request: AdmissionRequest, reasons: readonly string[]): StatusError {
  return refuse(request, reasons.length === 1 ? reasons[0]! : `[${reasons.join(', ')}]`)
}

function nameOf({ object, info }: AdmissionRequest): string {
  return object?.metadata.name || info.name || object?.metadata.generateName || ''
}
