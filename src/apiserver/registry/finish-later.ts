import type { ResourceContext } from '../request-context.ts'
import type { Finish } from './resource-behaviour.ts'

/** Calls `finish` once reads see the write that has just ended. */
export function finishLater({ server }: ResourceContext, finish: Finish): void {
  if (finish === undefined) return
  server.feed.current(server.closing).then(finish, finish)
}
