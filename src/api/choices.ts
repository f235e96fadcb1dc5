/** Somebody asked for something that this cluster does not know, or cannot do. */
export class ChoiceError extends Error {
  override readonly name = 'ChoiceError'
}

/** How the flag at hand words its complaints. */
export interface ChoiceRules {
  /** What a key without `=value` means: true, or what to say of it. */
  readonly bare: true | ((key: string) => string)
  readonly invalid: (key: string, text: string, reason: string) => string
}

/** Reads `key=true` pairs as Kubernetes' flags take them. Throws `ChoiceError` for values that are no boolean. */
export function parseChoices(pairs: readonly string[], rules: ChoiceRules): readonly (readonly [string, boolean])[] {
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => parseChoice(pair, rules))
}

function parseChoice(pair: string, { bare, invalid }: ChoiceRules): readonly [string, boolean] {
  const cut = pair.indexOf('=')
  const key = (cut < 0 ? pair : pair.slice(0, cut)).trim()
  const text = cut < 0 ? '' : pair.slice(cut + 1).trim()
  if (text === '' && bare === true) return [key, true]
  if (cut < 0 && bare !== true) throw new ChoiceError(bare(key))
  if (trueWords.has(text)) return [key, true]
  if (falseWords.has(text)) return [key, false]
  throw new ChoiceError(invalid(key, text, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`))
}

const trueWords: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falseWords: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])
