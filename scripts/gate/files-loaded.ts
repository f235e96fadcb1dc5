import { registerHooks } from 'node:module'

/**
 * Loaded before the tests. In one process for all files, the runner says nothing of a file that throws after its first
 * test is registered: the rest of the file would silently be no test at all. So every test file says when it has been
 * evaluated to its end.
 */
const mark = 'coracle.test-files-begun'
const begun = new Set<string>()
;(globalThis as { [key: symbol]: unknown })[Symbol.for(mark)] = begun

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith('.test.ts') || loaded.source === undefined || loaded.source === null) return loaded
    begun.add(url)
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
    return { ...loaded, source: `${source}\n;globalThis[Symbol.for('${mark}')].delete(import.meta.url)\n` }
  },
})

/** The test files of this process that threw while they loaded. */
export function filesNotLoaded(): string[] {
  return [...((globalThis as { [key: symbol]: unknown })[Symbol.for(mark)] as Set<string>)]
}
