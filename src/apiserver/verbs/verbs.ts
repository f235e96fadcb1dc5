import type { ApiResponse } from '#api/meta/exchange.ts'
import type { ResourceContext } from '../request-context.ts'
import { create } from './create.ts'
import { deleteCollection } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { update } from './update.ts'
import { watch } from './watch.ts'

/** Answers one verb on a resource. */
export type VerbHandler = (context: ResourceContext) => ApiResponse | Promise<ApiResponse>

/** The verbs of the main resource; subresources stand in `subresources.ts`. */
export const verbs: Readonly<Record<string, VerbHandler>> = {
  create,
  delete: deleteObject,
  deletecollection: deleteCollection,
  get,
  list,
  update,
  watch,
}
