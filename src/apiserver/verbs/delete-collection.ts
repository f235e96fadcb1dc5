import type { ApiResponse } from '#api/meta/exchange.ts'
import { apiVersionOf } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { objectResponse } from '../encoding/responses.ts'
import { typedItems } from '../encoding/typed-items.ts'
import { deleteByName } from '../registry/delete-object.ts'
import { readDeleteOptions } from '../registry/delete-options.ts'
import { readPage } from '../registry/list-page.ts'
import { served } from '../registry/read.ts'
import { prepareCollection, prepareServed } from '../registry/stored-version.ts'
import { compileSelection } from '../registry/selection.ts'
import { collectionPrefix } from '../registry/served-resource.ts'
import type { ResourceContext } from '../request-context.ts'
import { readCollectionOptions } from './list-options.ts'

/** Deletions under way at once. */
const atOnce = 16

/** DELETE of a collection: deletes what a list with the same selectors shows, and answers that list. */
export async function deleteCollection(context: ResourceContext): Promise<ApiResponse> {
  const { resource, info, request, server } = context
  const options = readCollectionOptions(request.query)
  const deletion = await readDeleteOptions(context)
  await prepareCollection(context, options.fieldSelector)
  const page = await readPage({
    server,
    resourcePrefix: resource.storage.prefix,
    prefix: collectionPrefix(resource, info.namespace),
    selection: compileSelection(resource, { ...options, name: info.name }),
    options,
    signal: request.signal,
  })
  const waiting = page.objects.map((object) => object.metadata)
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const target = { ...context, info: { ...info, name: next.name, namespace: next.namespace ?? '' } }
      await deleteByName(target, next.name, deletion).catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound')) throw error
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await prepareServed(resource, page.objects)
  return objectResponse({
    ...(resource.custom && { [typedItems]: true }),
    kind: resource.custom?.listKind ?? `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion: String(page.revision), ...(resource.custom && { continue: '' }) },
    items: page.objects.map((object) => served(resource, object)),
  })
}
