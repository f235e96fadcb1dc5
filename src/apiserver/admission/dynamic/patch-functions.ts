import type { CelFunctions } from '#lib/cel/cel-function.ts'

/** `jsonpatch.escapeKey("a/b")`: a key as it stands in a JSON pointer (RFC 6901). */
export const patchFunctions: CelFunctions = {
  'jsonpatch.escapeKey': ([key]) =>
    String(key as string)
      .replaceAll('~', '~0')
      .replaceAll('/', '~1'),
}
