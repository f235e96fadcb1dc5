import type { Node, Pod } from '#api/types/core.v1.ts'
import { podRequests } from '#api/core/v1/pod-resources.ts'
import { maxNodeScore, type Candidate, type Extender, type ExtenderFiltering } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import type { ExtenderCaller, ExtenderSettings } from './extender-settings.ts'

type Fields = Readonly<Record<string, unknown>>

const maxExtenderScore = 10

/** An extender that is asked over HTTP, in the JSON of the `extender/v1` API. */
export function httpExtender(settings: ExtenderSettings, call: ExtenderCaller): Extender {
  const { urlPrefix, filterVerb, prioritizeVerb, preemptVerb, bindVerb, weight, timeoutMs, tls } = settings
  const post = (verb: string, body: object): Promise<unknown> =>
    call({ url: `${urlPrefix.replace(/\/+$/, '')}/${verb}`, body, timeoutMs, tls })
  return {
    name: urlPrefix,
    isIgnorable: settings.ignorable,
    ignoredResources: settings.managedResources.filter((each) => each.ignoredByScheduler).map(({ name }) => name),
    isInterestedIn: (pod) => isInterested(pod, settings),
    ...(filterVerb !== '' && {
      filter: async (pod, nodes) =>
        filtering(urlPrefix, nodes, fieldsOf(await post(filterVerb, argsOf(pod, nodes, settings)))),
    }),
    ...(prioritizeVerb !== '' && {
      prioritize: async (pod, nodes) => scores(await post(prioritizeVerb, argsOf(pod, nodes, settings)), weight),
    }),
    ...(preemptVerb !== '' && {
      preempt: async (pod, candidates) => {
        const answer = fieldsOf(await post(preemptVerb, preemptionArgs(pod, candidates, settings)))
        return remaining(candidates, (answer['nodenametometavictims'] ?? {}) as Fields)
      },
    }),
    ...(bindVerb !== '' && {
      bind: async ({ pod: { metadata } }, node) => {
        const { name, namespace, uid } = metadata
        const args = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node }
        refuseError(fieldsOf(await post(bindVerb, args)))
      },
    }),
  }
}

function refuseError({ error }: Fields): void {
  if (typeof error === 'string' && error !== '') throw new Error(error)
}

function scores(answer: unknown, weight: number): ReadonlyMap<string, number> {
  const share = (weight * maxNodeScore) / maxExtenderScore
  return new Map(
    listOf(answer).map((entry) => {
      const { host, score } = fieldsOf(entry)
      return [String(host), Number(score ?? 0) * share]
    }),
  )
}

/** An extender that manages resources has a say only in pods that ask for one of them. */
function isInterested(pod: Pod, { managedResources }: ExtenderSettings): boolean {
  if (managedResources.length === 0) return true
  const requests = podRequests(pod)
  return managedResources.some(({ name }) => (requests[name] ?? 0) > 0)
}

function argsOf({ pod }: PodInfo, nodes: readonly NodeInfo[], { nodeCacheCapable }: ExtenderSettings): object {
  if (nodeCacheCapable) return { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
  return { Pod: pod, Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null }
}

function filtering(extender: string, nodes: readonly NodeInfo[], answer: Fields): ExtenderFiltering {
  refuseError(answer)
  const items = listOf(fieldsOf(answer['nodes'])['items']) as readonly Node[]
  const kept = new Set(listOf(answer['nodenames'] ?? items.map(({ metadata }) => metadata.name)))
  const failed = (answer['failednodes'] ?? {}) as Readonly<Record<string, string>>
  const hopeless = (answer['failedandunresolvablenodes'] ?? {}) as Readonly<Record<string, string>>
  const rejectionOf = (name: string) => ({
    plugin: `extender ${extender}`,
    reason: hopeless[name] ?? failed[name] ?? 'node(s) were filtered out by an extender',
    ...(hopeless[name] !== undefined && { unresolvable: true }),
  })
  return {
    feasible: nodes.filter(({ name }) => kept.has(name)),
    rejected: nodes.filter(({ name }) => !kept.has(name)).map((node) => ({ node, rejection: rejectionOf(node.name) })),
  }
}

function preemptionArgs({ pod }: PodInfo, candidates: readonly Candidate[], settings: ExtenderSettings): object {
  const victims = (victim: (info: PodInfo) => object) =>
    Object.fromEntries(
      candidates.map(({ node, victims: all, violations }) => [
        node.name,
        { Pods: all.map(victim), NumPDBViolations: violations },
      ]),
    )
  return settings.nodeCacheCapable
    ? { Pod: pod, NodeNameToVictims: null, NodeNameToMetaVictims: victims(({ uid }) => ({ UID: uid })) }
    : { Pod: pod, NodeNameToVictims: victims((info) => info.pod), NodeNameToMetaVictims: null }
}

/** Candidates that the extender named, with the victims that it chose among the node's pods. */
function remaining(candidates: readonly Candidate[], answer: Fields): readonly Candidate[] {
  return candidates.flatMap(({ node }) => {
    if (answer[node.name] === undefined) return []
    const given = fieldsOf(answer[node.name])
    const victims = listOf(given['pods']).map((entry) => {
      const { uid } = fieldsOf(entry)
      const info = node.pods.get(String(uid))
      if (!info) throw new Error(`the extender named a pod that is not on node ${node.name}: ${String(uid)}`)
      return info
    })
    return [{ node, victims, violations: Number(given['numpdbviolations'] ?? 0) }]
  })
}

/** The fields of an answer, whose names may be written in any case. */
function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item as unknown]))
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
