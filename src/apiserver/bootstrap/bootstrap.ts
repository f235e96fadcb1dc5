import type { BootstrapStore } from './bootstrap-store.ts'
import { policyObjects } from './policy.ts'
import { serverObjects, type ServerObjectsOptions } from './server-objects.ts'

/**
 * Makes sure that the objects every cluster has exist and are whole, in one call of `ensure`. Runs at every start before
 * the server is ready; a second run on an untouched cluster changes nothing.
 */
export async function bootstrap(store: BootstrapStore, options: ServerObjectsOptions): Promise<void> {
  await store.ensure([...policyObjects(), ...serverObjects(options)])
}
