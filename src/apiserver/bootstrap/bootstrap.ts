import { builtInCatalog, type Catalog } from '#api/schema/catalog.ts'
import type { BootstrapStore } from './bootstrap-store.ts'
import { policyObjects } from './policy.ts'
import { serverObjects, type ServerObjectsOptions } from './server-objects.ts'

export interface BootstrapOptions extends ServerObjectsOptions {
  /** What is served: some rights come with an API; default: the usual. */
  readonly catalog?: Catalog
}

/**
 * Makes sure that the objects every cluster has exist and are whole, in one call of `ensure`. Runs at every start before
 * the server is ready; a second run on an untouched cluster changes nothing.
 */
export async function bootstrap(store: BootstrapStore, options: BootstrapOptions): Promise<void> {
  await store.ensure([...policyObjects(options.catalog ?? builtInCatalog()), ...serverObjects(options)])
}
