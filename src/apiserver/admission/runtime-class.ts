import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '#api/kind.ts'
import type { Pod, PodSpec } from '#api/types/core.v1.ts'
import type { RuntimeClass } from '#api/types/node.v1.ts'
import { runtimeClasses } from '#api/types/resources.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { refuse } from './refuse.ts'

/** Charges a pod with the overhead of its runtime class and sends it to nodes that have the runtime (KEP-585, KEP-688). */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  resources: ['pods'],
  operations: ['CREATE'],
  mutate(request, { reader }) {
    const spec = (request.object as Draft<Pod>).spec
    if (!spec?.runtimeClassName) return
    const found = reader.get(runtimeClasses, spec.runtimeClassName)
    if (found === undefined) throw refuse(request, `pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`)
    setOverhead(request, spec, found)
    setScheduling(request, spec, found)
  },
  validate(request) {
    const spec = (request.object as Pod).spec
    if (spec?.runtimeClassName || Object.keys(spec?.overhead ?? {}).length === 0) return
    throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
  },
}

function setOverhead(request: AdmissionRequest, spec: Draft<PodSpec>, found: RuntimeClass): void {
  const overhead = found.overhead?.podFixed
  if (overhead === undefined) return
  if (spec.overhead !== undefined && !isDeepStrictEqual(spec.overhead, overhead)) {
    throw refuse(request, `pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`)
  }
  spec.overhead = { ...overhead }
}

function setScheduling(request: AdmissionRequest, spec: Draft<PodSpec>, { scheduling }: RuntimeClass): void {
  if (scheduling === undefined) return
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value) {
      const [theirs, ours] = [
        `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`,
        `pod.spec.nodeSelector[${key}] = ${own}`,
      ]
      throw refuse(request, `conflict: ${theirs}; ${ours}`)
    }
    ;(spec.nodeSelector ??= {})[key] = value
  }
  for (const toleration of scheduling.tolerations ?? []) {
    if (spec.tolerations?.some((kept) => isDeepStrictEqual({ ...kept }, { ...toleration }))) continue
    ;(spec.tolerations ??= []).push({ ...toleration })
  }
}
