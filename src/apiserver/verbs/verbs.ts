import { create } from './create.ts'
import { deleteCollection } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { patch } from './patch.ts'
import { update } from './update.ts'
import type { VerbHandler } from './verb-handler.ts'
import { watch } from './watch.ts'

/** The verbs of the main resource; subresources stand in `subresources.ts`. */
export const verbs: Readonly<Record<string, VerbHandler>> = {
  create,
  delete: deleteObject,
  deletecollection: deleteCollection,
  get,
  list,
  patch,
  update,
  watch,
}
