import { configError } from './container-start-error.ts'
import { expandVariables } from './expand.ts'

/**
 * The path that `subPathExpr` comes to. Unlike in other texts every variable must be there and have a value, and the
 * path must stay below its volume: throws the `ContainerStartError` that the container then waits with.
 */
export function expandSubPath(expression: string, valueOf: (name: string) => string | undefined): string {
  const missing = new Set<string>()
  const path = expandVariables(expression, (name) => {
    const value = valueOf(name) ?? ''
    if (value === '') missing.add(name)
    return value
  })
  if (missing.size > 0) throw configError(`missing value for ${[...missing].sort().join(', ')}`)
  if (path.startsWith('/')) throw configError(`error SubPath \`${path}\` must not be an absolute path`)
  if (path.split('/').includes('..'))
    throw configError(`unable to provision SubPath \`${path}\`: must not contain '..'`)
  return path
}
