import { inspect } from 'node:util'
import type { Node, Service } from '#api/types/core.v1.ts'
import type { Kubectl } from './kubectl.ts'

/** The base URL of a Service's first node port, as a client outside of the cluster uses it. */
export async function nodePortUrl(kubectl: Kubectl, service: string): Promise<string> {
  const [node] = await kubectl.list<Node>('nodes')
  const address = node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
  const { spec } = await kubectl.get<Service>('service', service)
  return `http://${address}:${spec?.ports?.[0]?.nodePort}`
}

/** One request on a connection of its own; throws unless the answer is 200. */
export async function request(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) })
  const text = await response.text()
  if (response.ok) return text
  throw new Error(`${url} answered ${response.status}: ${text}`)
}

/** What a stream of requests saw. */
export interface Traffic {
  readonly answers: ReadonlyMap<string, number>
  readonly failures: readonly string[]
}

const failuresMax = 20

/** Sends requests one after another in four lanes while `action` runs, or until twenty have failed. */
export async function requestsDuring(url: string, action: () => Promise<unknown>): Promise<Traffic> {
  const answers = new Map<string, number>()
  const failures: string[] = []
  const done = new AbortController()
  const lane = async (): Promise<void> => {
    while (!done.signal.aborted && failures.length < failuresMax) {
      try {
        const answer = await request(url)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      } catch (error) {
        failures.push(inspect(error))
      }
    }
  }
  const lanes = [lane(), lane(), lane(), lane()]
  try {
    await action()
  } finally {
    done.abort()
    await Promise.all(lanes)
  }
  return { answers, failures }
}
