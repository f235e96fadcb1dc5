import {
  binaryTag,
  boolYaml11Tag,
  CORE_SCHEMA,
  DEFAULT_SCALAR_STYLE_RULES,
  defineScalarTag,
  dump,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  SCALAR_STYLE,
  strTag,
  visit,
  YAMLException,
  type Document,
  type ScalarLayout,
} from 'js-yaml'
import { isMoreThanText } from './yaml-scalars.ts'

/**
 * YAML as `kubectl` reads it: YAML 1.1 booleans (`yes`, `off`), octal, binary and underscored integers, merge keys, and
 * no dates. The answer to an input that both would take is the same, so that a manifest means here what it means there.
 */

/** The text is no YAML. The message names the line. */
export class YamlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'YamlError'
  }
}

export interface YamlDocument {
  readonly value: unknown
  /** Keys that repeat an earlier one of the same mapping, as in `line 7: key "k" already set in map`; the last value wins. */
  readonly duplicates: readonly string[]
}

/** More aliases than this and a small text could unfold into a huge value. */
const maxAliases = 100
const maxDepth = 500

function parseInteger(source: string): number | typeof NOT_RESOLVED {
  const match = /^([-+]?)(0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[\d_]+)$/.exec(source)
  if (!match || !/^[-+]?\d/.test(source)) return NOT_RESOLVED
  const digits = (match[2] as string).replaceAll('_', '')
  const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  if (Number.isNaN(size)) return NOT_RESOLVED
  return match[1] === '-' && size !== 0 ? -size : size
}

const integerTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: '-+0123456789'.split(''),
  resolve: parseInteger,
  identify: Number.isInteger,
})

/** Base64 becomes the text it encodes, as nothing in JSON holds bytes. */
const binaryAsTextTag = defineScalarTag<string>('tag:yaml.org,2002:binary', {
  resolve(source, isExplicit, tagName) {
    const bytes = binaryTag.resolve(source, isExplicit, tagName)
    return bytes === NOT_RESOLVED ? NOT_RESOLVED : Buffer.from(bytes as Uint8Array).toString()
  },
  identify: () => false,
})

const schema = CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag, integerTag, binaryAsTextTag)

/** Reads all documents of a text; empty ones are left out. JSON is YAML, too. Throws `YamlError`. */
export function parseYamlDocuments(text: string): YamlDocument[] {
  const duplicates: string[] = []
  const values = load(text, duplicates)
  if (text.includes('&') && text.includes('*')) for (const value of values) checkUnfolded(value, text.length)
  return values.filter((value) => value !== null && value !== undefined).map((value) => ({ value, duplicates }))
}

/** Reads a text of one document; an empty one is null. Throws `YamlError`, also for more than one document. */
export function parseYaml(text: string): YamlDocument {
  const documents = parseYamlDocuments(text)
  if (documents.length > 1) throw new YamlError('yaml: more than one document in the stream')
  return documents[0] ?? { value: null, duplicates: [] }
}

function load(text: string, duplicates: string[]): unknown[] {
  try {
    return loadAll(text, { schema, maxAliases, maxDepth })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    if (!/duplicat/i.test(error.reason)) throw new YamlError(explain(error))
    duplicates.push(duplicateMessage(error, text))
    return loadDespiteDuplicates(text)
  }
}

/** A value may be larger than its text by this many parts. */
const aliasAllowance = 100_000

/** Refuses what aliases make larger than anybody would write down, and what contains itself. */
function checkUnfolded(value: unknown, textLength: number): void {
  const sizes = new Map<object, number>()
  const sizeOf = (part: unknown): number => {
    if (typeof part !== 'object' || part === null) return 1
    const known = sizes.get(part)
    if (known === underway) throw new YamlError('yaml: anchor value contains itself')
    if (known !== undefined) return known
    sizes.set(part, underway)
    const size = Object.values(part).reduce<number>((sum, member) => sum + sizeOf(member), 1)
    sizes.set(part, size)
    return size
  }
  if (sizeOf(value) > textLength + aliasAllowance) throw new YamlError('yaml: document contains excessive aliasing')
}

const underway = -1

function loadDespiteDuplicates(text: string): unknown[] {
  try {
    return loadAll(text, { schema, maxAliases, maxDepth, json: true })
  } catch (error) {
    if (error instanceof YAMLException) throw new YamlError(explain(error))
    throw error
  }
}

function lineOf(error: YAMLException): number {
  return (error.mark?.line ?? 0) + 1
}

function duplicateMessage(error: YAMLException, text: string): string {
  const line = text.split('\n')[lineOf(error) - 1] ?? ''
  const key = /^[\s\-{,]*(?:"([^"]*)"|'([^']*)'|([^:]+?))\s*:/.exec(line)
  return `line ${lineOf(error)}: key ${JSON.stringify(key?.[1] ?? key?.[2] ?? key?.[3] ?? '')} already set in map`
}

function explain(error: YAMLException): string {
  const isOpenFlow = /flow collection/.test(error.reason)
  return `yaml: line ${lineOf(error)}: ${isOpenFlow ? 'did not find expected node content' : error.reason}`
}

/** Writes a JSON value as `kubectl -o yaml` does: keys sorted, lists not indented. Undefined members are left out. */
export function formatYaml(value: unknown): string {
  return dump(JSON.parse(JSON.stringify(value)), {
    seqNoIndent: true,
    lineWidth: -1,
    noRefs: true,
    transform: sortKeys,
    scalarStyleRules,
  })
}

/** Double quotes where a plain text would be read as something else, single ones where only its characters forbid it. */
function quoteOtherMeanings(layout: ScalarLayout): void {
  const { node, style } = layout
  if (style === SCALAR_STYLE.PLAIN && node.tag === strTag.tagName && isMoreThanText(node.value)) {
    layout.style = SCALAR_STYLE.DOUBLE_QUOTED
  }
}

const scalarStyleRules = [quoteOtherMeanings, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)]

function sortKeys(documents: Document[]): void {
  visit(documents, (node) => {
    if (node.kind === 'mapping') node.items.sort((a, b) => (keyText(a.key) < keyText(b.key) ? -1 : 1))
  })
}

function keyText(key: { readonly kind: string; readonly value?: unknown }): string {
  return key.kind === 'scalar' && typeof key.value === 'string' ? key.value : ''
}
