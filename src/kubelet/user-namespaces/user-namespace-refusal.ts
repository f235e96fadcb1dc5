import type { RuntimeHandler } from '../cri/runtime.ts'

/** Why a pod cannot have users of its own under this handler, if so: run as the node's it would not be what it asks for. */
export function userNamespaceRefusal(handler: string, known: readonly RuntimeHandler[]): string | undefined {
  const found = known.find(({ name }) => name === handler)
  if (found?.userNamespaces === true) return undefined
  const subject = handler === '' ? 'runtime' : `RuntimeClass handler "${handler}"`
  const refusal = `can't set \`spec.hostUsers: false\`, ${subject} does not support user namespaces`
  return found === undefined && known.length > 0 ? `${refusal}: the handler "${handler}" is not known` : refusal
}
