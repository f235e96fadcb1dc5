const signs: Readonly<Record<string, string>> = { '.': '__dot__', '-': '__dash__', '/': '__slash__' }
const words: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' }

const reserved: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/**
 * The name of a property in expressions: `foo.bar` is `foo__dot__bar`, `in` is `__in__` (Kubernetes docs, "Validation
 * rules"). Undefined for names that expressions cannot write.
 */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_./-]*$/.test(name)) return undefined
  if (reserved.has(name)) return `__${name}__`
  return name.replaceAll('__', '__underscores__').replace(/[./-]/g, (sign) => signs[sign] ?? sign)
}

export function unescapeName(name: string): string {
  if (!name.includes('__')) return name
  return name.replace(/__([a-z]+)__/g, (_all, word: string) => words[word] ?? word)
}
