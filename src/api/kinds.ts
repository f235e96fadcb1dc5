import type { Kind } from './kind.ts'
import { kindRegistry, type KindRegistry } from './kind-registry.ts'
import { once } from './schema/load.ts'

/** Every kind that has a file of its own. A kind that is not listed is served by the schema alone. */
export const kinds: readonly Kind[] = []

/** The registry of the built-in kinds. */
export const builtInKinds: () => KindRegistry = once(() => kindRegistry(kinds))
