import { defaultFeatures, type Features } from './features.ts'
import { forgettingFields } from './gated-pod-fields.ts'
import { kindRegistry, type KindRegistry } from './kind-registry.ts'
import { kinds } from './kind-table.ts'

/** The registry of the built-in kinds: those of the table, and for the others the schema alone. */
export function builtInKinds(features: Features = defaultFeatures): KindRegistry {
  return kindRegistry(kinds.map((kind) => forgettingFields(kind, features)))
}
