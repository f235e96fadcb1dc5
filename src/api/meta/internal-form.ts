import { isPlainObject } from '../schema/own-member.ts'
import { escapeMarkup } from './field-errors.ts'

/**
 * Messages show some objects in the form that the API server works with inside: fields by their inner names and in their
 * inner order, absent ones written out. A table describes that form, one entry per type; a field is a word:
 *
 * - `Name`: text, empty if absent; `Lun#`: a number, 0 if absent; `Stdin?`: a truth value, false if absent
 * - `Value*`: any of these, null if absent; also lists, maps and quantities, which are shown as they are
 * - `Probe*:Probe`, `Ports*:ContainerPort`: an object or a list of objects of that type, null if absent
 * - `Resources:Requirements`: an object that is always there; `...Handler`: its fields stand in place of itself
 * - `EndpointsName=endpoints`: a field whose outer name does not follow from the inner one
 */
export type InternalTypes = Readonly<Record<string, string>>

export interface InternalForm {
  /** The object in that form, of the named type. */
  of(type: string, object: object): Readonly<Record<string, unknown>>
  /** Its text with one space of indentation a level. */
  text(type: string, object: object): string
}

interface Field {
  readonly name: string
  readonly outer: string
  readonly type: string | undefined
  readonly empty: unknown
  readonly isInlined: boolean
}

export function internalForm(types: InternalTypes): InternalForm {
  const parsed = new Map<string, readonly Field[]>()
  const fieldsOf = (type: string): readonly Field[] => {
    const known = parsed.get(type)
    if (known !== undefined) return known
    const text = types[type]
    if (text === undefined) throw new TypeError(`The internal form of ${type} is not described`)
    const fields = text.split(' ').map(parseField)
    parsed.set(type, fields)
    return fields
  }
  const convert = (type: string, object: object): Readonly<Record<string, unknown>> => {
    const shown: Record<string, unknown> = {}
    for (const field of fieldsOf(type)) {
      if (field.isInlined) Object.assign(shown, convert(field.type ?? '', object))
      else shown[field.name] = show(field, (object as Readonly<Record<string, unknown>>)[field.outer], convert)
    }
    return shown
  }
  return { of: convert, text: (type, object) => escapeMarkup(JSON.stringify(convert(type, object), undefined, ' ')) }
}

function parseField(word: string): Field {
  if (word.startsWith('...')) return { name: '', outer: '', type: word.slice(3), empty: undefined, isInlined: true }
  const [, name = '', mark = '', , outer, , type] = /^(\w+)([#?*]?)(=(\w+))?(:(\w+))?$/.exec(word) ?? []
  if (name === '') throw new TypeError(`The field ${word} of an internal form is not understood`)
  const empty = mark === '#' ? 0 : mark === '?' ? false : mark === '*' ? null : ''
  const isAlways = type !== undefined && mark === ''
  return { name, outer: outer ?? outerName(name), type, empty: isAlways ? {} : empty, isInlined: false }
}

/** `HTTPGet` is `httpGet`, `TTY` is `tty`. */
function outerName(name: string): string {
  const [capitals = ''] = /^[A-Z]+/.exec(name) ?? []
  const length = capitals.length === name.length ? capitals.length : Math.max(1, capitals.length - 1)
  return name.slice(0, length).toLowerCase() + name.slice(length)
}

type Convert = (type: string, object: object) => unknown

function show({ type, empty }: Field, value: unknown, convert: Convert): unknown {
  const given = value === undefined ? empty : value
  if (Array.isArray(given)) {
    if (given.length === 0) return []
    return type === undefined ? given : given.map((item) => convert(type, item as object))
  }
  if (type !== undefined && isPlainObject(given)) return convert(type, given)
  return isPlainObject(given) ? sorted(given) : given
}

/** Maps are shown by key. */
function sorted(map: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1)))
}
