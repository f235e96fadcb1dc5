import type { CelValue } from './values.ts'

/** A function: `args[0]` is the receiver of a call in member form. Throws `CelError`, `no such overload` for other types. */
export type CelFunction = (args: readonly CelValue[]) => CelValue
export type CelFunctions = Readonly<Record<string, CelFunction>>
