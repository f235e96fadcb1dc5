import type { CelProgram } from '#lib/cel/program.ts'
import type { LruMap } from '#lib/lru-map.ts'

/** Programs by their text: an expression is compiled once, however many requests it judges. */
export type Programs = LruMap<string, CelProgram>
