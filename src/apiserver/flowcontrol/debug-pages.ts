import type { ApiResponse } from '#api/meta/exchange.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import type { PriorityLevel, WaitingRequest } from './priority-level.ts'

const root = '/debug/api_priority_and_fairness/'

/** What is going on in priority and fairness, as text (documentation, "Flow control"); undefined for any other path. */
export function flowControlPages({ request, server }: RequestContext): ApiResponse | undefined {
  if (!request.path.startsWith(root)) return undefined
  const page = pages[request.path.slice(root.length)]
  const table = page?.(server.flowControl.levels(), request.query.has('includeRequestDetails'))
  return table && textResponse(formatTable(table))
}

type Table = readonly (readonly (string | number | boolean)[])[]

const pages: Readonly<Record<string, (levels: readonly PriorityLevel[], withDetails: boolean) => Table>> = {
  dump_priority_levels: (levels) => [levelHeaders, ...levels.map(levelRow)],
  dump_queues: (levels) => [queueHeaders, ...levels.flatMap(queueRows)],
  dump_requests: (levels, withDetails) => [
    withDetails ? [...requestHeaders, ...detailHeaders] : requestHeaders,
    ...levels.flatMap((level) => requestRows(level, withDetails)),
  ],
}

const levelHeaders =
  'PriorityLevelName ActiveQueues IsIdle IsQuiescing WaitingRequests ExecutingRequests DispatchedRequests RejectedRequests TimedoutRequests CancelledRequests'.split(
    ' ',
  )

function levelRow(level: PriorityLevel): Table[number] {
  const { name, waiting, executing, dispatched, rejected, timedOut, cancelled } = level
  const isIdle = waiting === 0 && executing === 0
  return [name, level.queues().length, isIdle, false, waiting, executing, dispatched, rejected, timedOut, cancelled]
}

const queueHeaders = ['PriorityLevelName', 'Index', 'PendingRequests', 'InitialSeatsSum', 'MaxSeatsSum']

function queueRows(level: PriorityLevel): Table {
  return level.queues().map(({ index, items }) => {
    const seats = items.reduce((sum, { width }) => sum + width, 0)
    return [level.name, index, items.length, seats, seats]
  })
}

const requestHeaders =
  'PriorityLevelName FlowSchemaName QueueIndex RequestIndexInQueue FlowDistingsher ArriveTime InitialSeats FinalSeats AdditionalLatency'.split(
    ' ',
  )
const detailHeaders = 'UserName Verb APIPath Namespace Name APIVersion Resource SubResource'.split(' ')

/** Those who wait: who is served already has left the queues. */
function requestRows(level: PriorityLevel, withDetails: boolean): Table {
  return level.queues().flatMap(({ index, items }) =>
    items.map((request, position) => {
      const { schema, distinguisher, arrivedMs, width } = request
      const arrived = new Date(arrivedMs).toISOString()
      const row = [level.name, schema, index, position, distinguisher, arrived, width, 0, '0s']
      return withDetails ? [...row, ...detailsOf(request)] : row
    }),
  )
}

function detailsOf({ asking: { info, user } }: WaitingRequest): readonly string[] {
  return [user.name, info.verb, info.path, info.namespace, info.name, info.version, info.resource, info.subresource]
}

/** Columns as wide as their widest cell; a comma ends every cell but the last. */
function formatTable(table: Table): string {
  const texts = table.map((row) => row.map((cell, index) => `${cell}${index < row.length - 1 ? ',' : ''}`))
  const widths = (texts[0] ?? []).map((_header, index) => Math.max(...texts.map((row) => row[index]?.length ?? 0)) + 1)
  const lines = texts.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(''))
  return `${lines.join('\n')}\n`
}
