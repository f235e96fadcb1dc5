import { compareQuantities } from '#api/meta/quantity.ts'
import type { Draft } from '#api/kind.ts'
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import { limitRanges } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'
import { checkLimits } from './limit-check.ts'
import { podTotals } from '#api/core/v1/pod-totals.ts'
import { refuseAll } from './refuse.ts'

/** Fills in the defaults of a namespace's LimitRanges and holds pods and claims to their bounds. */
export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  resources: ['pods', 'persistentvolumeclaims'],
  operations: ['CREATE', 'UPDATE'],
  mutate({ object, info, operation }, { reader }) {
    if (info.resource !== 'pods' || operation !== 'CREATE') return
    for (const range of reader.list(limitRanges, info.namespace)) setDefaults(object as Draft<Pod>, range)
  },
  validate(request, { reader }) {
    const { object, info, operation } = request
    if (info.resource === 'pods' && operation !== 'CREATE') return
    for (const range of reader.list(limitRanges, info.namespace)) {
      const items = range.spec?.limits ?? []
      const problems = items.flatMap((item) =>
        info.resource === 'pods'
          ? podProblems(object as Pod, item)
          : claimProblems(object as PersistentVolumeClaim, item),
      )
      if (problems.length > 0) throw refuseAll(request, problems)
    }
  },
}

const annotation = 'kubernetes.io/limit-ranger'

function setDefaults(pod: Draft<Pod>, range: LimitRange): void {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === 'Container')
  const defaults = {
    requests: Object.assign({}, ...items.map((item) => item.defaultRequest)) as Record<string, string>,
    limits: Object.assign({}, ...items.map((item) => item.default)) as Record<string, string>,
  }
  const notes = [
    ...(pod.spec?.containers ?? []).flatMap((container) => merge(container, 'container', defaults)),
    ...(pod.spec?.initContainers ?? []).flatMap((container) => merge(container, 'init container', defaults)),
  ]
  if (notes.length === 0) return
  ;(pod.metadata.annotations ??= {})[annotation] = `LimitRanger plugin set: ${notes.join('; ')}`
}

type Defaults = Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>

/** Sets what the container does not, and says what was set. */
function merge(container: Draft<Container>, kind: string, defaults: Defaults): string[] {
  const notes: string[] = []
  for (const part of ['requests', 'limits'] as const) {
    const missing = Object.keys(defaults[part])
      .filter((name) => container.resources?.[part]?.[name] === undefined)
      .toSorted()
    if (missing.length === 0) continue
    const values = ((container.resources ??= {})[part] ??= {})
    for (const name of missing) values[name] = defaults[part][name]!
    notes.push(`${missing.join(', ')} ${part === 'requests' ? 'request' : 'limit'} for ${kind} ${container.name}`)
  }
  return notes
}

function podProblems(pod: Pod, item: LimitRangeItem): string[] {
  if (item.type === 'Container') {
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
    return containers.flatMap((container) => checkLimits(item, container.resources ?? {}))
  }
  return item.type === 'Pod' && pod.spec !== undefined ? checkLimits(item, podTotals(pod.spec)) : []
}

function claimProblems(claim: PersistentVolumeClaim, item: LimitRangeItem): string[] {
  if (item.type !== 'PersistentVolumeClaim') return []
  const requests = claim.spec?.resources?.requests ?? {}
  const names = [...new Set([...Object.keys(item.min ?? {}), ...Object.keys(item.max ?? {})])].toSorted()
  return names.flatMap((name) => requestProblems(name, requests[name], item))
}

function requestProblems(
  name: string,
  request: string | number | undefined,
  { min, max, type }: LimitRangeItem,
): string[] {
  const bounds = [
    { word: 'minimum', bound: min?.[name], sign: -1 },
    { word: 'maximum', bound: max?.[name], sign: 1 },
  ]
  return bounds.flatMap(({ word, bound, sign }) => {
    if (bound === undefined) return []
    const rule = `${word} ${name} usage per ${type} is ${bound}`
    if (request === undefined) return [`${rule}.  No request is specified`]
    return compareQuantities(request, bound) * sign > 0 ? [`${rule}, but request is ${request}`] : []
  })
}
