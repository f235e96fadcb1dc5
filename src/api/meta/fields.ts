import { SelectorError } from './selector-error.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** A compiled field selector: all requirements must hold. A field that is not given counts as empty. */
export interface FieldMatcher {
  readonly requirements: readonly FieldRequirement[]
  matches(fields: Readonly<Record<string, string>>): boolean
}

/** Compiles `metadata.name=a,status.phase!=Running`. Backslash escapes `,`, `=` and itself. Throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldMatcher {
  const requirements = splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => readTerm(term, text))
  return {
    requirements,
    matches: (fields) =>
      requirements.every(({ field, operator, value }) => {
        const actual = Object.hasOwn(fields, field) ? (fields[field] as string) : ''
        return operator === '=' ? actual === value : actual !== value
      }),
  }
}

/**
 * Refuses fields that cannot be selected. `selectable` are the kind's own ones; `metadata.name` and
 * `metadata.namespace` always work. A kind without own fields answers with another sentence than one with.
 */
export function checkSelectable(matcher: FieldMatcher, selectable: ReadonlySet<string>): void {
  for (const { field } of matcher.requirements) {
    if (field === 'metadata.name' || field === 'metadata.namespace' || selectable.has(field)) continue
    const unknown = `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
    throw new UnselectableFieldError(field, selectable.size > 0 ? `field label not supported: ${field}` : unknown)
  }
}

/** A field that the kind cannot be selected by. */
export class UnselectableFieldError extends SelectorError {
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.name = 'UnselectableFieldError'
    this.field = field
  }
}

/** The value that `field` must have, if the selector pins one: lets a list of one name become a get. */
export function requiredValue(matcher: FieldMatcher, field: string): string | undefined {
  return matcher.requirements.find((requirement) => requirement.field === field && requirement.operator === '=')?.value
}

/** The text form, which `parseFieldSelector` reads back. */
export function formatFieldSelector({ requirements }: Pick<FieldMatcher, 'requirements'>): string {
  return requirements.map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`).join(',')
}

/** Escapes what has a meaning inside a field selector. */
function escapeValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&')
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === ',') {
      terms.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...terms, text.slice(start)]
}

function readTerm(term: string, selector: string): FieldRequirement {
  for (let index = 0; index < term.length; index++) {
    const rest = term.slice(index, index + 2)
    if (rest === '!=') return makeRequirement(term.slice(0, index), '!=', term.slice(index + 2))
    if (rest === '==') return makeRequirement(term.slice(0, index), '=', term.slice(index + 2))
    if (rest[0] === '=') return makeRequirement(term.slice(0, index), '=', term.slice(index + 1))
  }
  throw new SelectorError(`invalid selector: '${selector}'; can't understand '${term}'`)
}

function makeRequirement(field: string, operator: '=' | '!=', escaped: string): FieldRequirement {
  return { field, operator, value: unescapeValue(escaped) }
}

function unescapeValue(escaped: string): string {
  let value = ''
  for (let index = 0; index < escaped.length; index++) {
    const character = escaped[index] as string
    if (character === '\\') {
      const following = escaped[++index] ?? ''
      if (!['\\', ',', '='].includes(following)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${following}`)
      }
      value += following
    } else if (character === '=' || character === ',') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`)
    } else value += character
  }
  return value
}
