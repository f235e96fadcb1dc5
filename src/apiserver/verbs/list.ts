import type { ApiResponse } from '#api/meta/exchange.ts'
import { apiVersionOf } from '#api/meta/resource.ts'
import { objectResponse } from '../encoding/responses.ts'
import { typedItems } from '../encoding/typed-items.ts'
import { readPage } from '../registry/list-page.ts'
import { served } from '../registry/read.ts'
import { prepareCollection, prepareServed } from '../registry/stored-version.ts'
import { compileSelection } from '../registry/selection.ts'
import { collectionPrefix } from '../registry/served-resource.ts'
import type { ResourceContext } from '../request-context.ts'
import { checkListOptions, readCollectionOptions } from './list-options.ts'

/** GET of a collection. The items are the cache's own objects. */
export async function list(context: ResourceContext): Promise<ApiResponse> {
  const { resource, info, request, server } = context
  const options = readCollectionOptions(request.query)
  checkListOptions(options)
  await prepareCollection(context, options.fieldSelector)
  const page = await readPage({
    server,
    resourcePrefix: resource.storage.prefix,
    prefix: collectionPrefix(resource, info.namespace),
    selection: compileSelection(resource, { ...options, name: info.name }),
    options,
    get signal() {
      return request.signal
    },
  })
  await prepareServed(resource, page.objects)
  const isConverted = resource.storage.convert !== undefined
  return objectResponse({
    ...(resource.custom && { [typedItems]: true }),
    kind: resource.custom?.listKind ?? `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(page.revision),
      ...((page.continue !== '' || resource.custom !== undefined) && { continue: page.continue }),
      ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
    },
    items: isConverted ? page.objects.map((object) => served(resource, object)) : page.objects,
  })
}
