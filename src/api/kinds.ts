import { kindRegistry, type KindRegistry } from './kind-registry.ts'
import { kinds } from './kind-table.ts'
import { once } from './schema/load.ts'

/** The registry of the built-in kinds: those of the table, and for the others the schema alone. */
export const builtInKinds: () => KindRegistry = once(() => kindRegistry(kinds))
