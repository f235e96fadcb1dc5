import { dynType, isDynamic, isSameType, isSimple, type Type, type TypeParameter } from './types.ts'

/** What type parameters turned out to be. A trial works on a copy, so that a way to call that does not fit leaves nothing. */
export class TypeBindings {
  readonly #types: Map<string, Type>

  constructor(types: ReadonlyMap<string, Type> = new Map()) {
    this.#types = new Map(types)
  }

  copy(): TypeBindings {
    return new TypeBindings(this.#types)
  }

  /** The type with what is known of its parameters; `isFinal`: parameters that nothing settled are anything. */
  resolve(type: Type, isFinal = false): Type {
    const inner = (each: Type): Type => this.resolve(each, isFinal)
    switch (type.kind) {
      case 'parameter': {
        const known = this.#types.get(type.name)
        return known === undefined ? (isFinal ? dynType : type) : inner(known)
      }
      case 'list':
        return { ...type, item: inner(type.item) }
      case 'map':
        return { ...type, key: inner(type.key), value: inner(type.value) }
      case 'type':
        return { ...type, of: inner(type.of) }
      case 'abstract':
        return { ...type, parameters: type.parameters.map(inner) }
      default:
        return type
    }
  }

  /** Whether a value of one type may stand where the other is wanted; binds parameters on the way. */
  fits(given: Type, wanted: Type): boolean {
    if (wanted.kind === 'parameter') return this.#binds(wanted, given)
    if (given.kind === 'parameter') return this.#binds(given, wanted)
    if (isDynamic(given) || isDynamic(wanted)) return true
    if (isSimple(given, 'null') || isSimple(wanted, 'null')) return isNullable(given) && isNullable(wanted)
    if (given.kind === 'list' && wanted.kind === 'list') return this.fits(given.item, wanted.item)
    if (given.kind === 'map' && wanted.kind === 'map')
      return this.fits(given.key, wanted.key) && this.fits(given.value, wanted.value)
    if (given.kind === 'type') return wanted.kind === 'type'
    if (given.kind === 'abstract' && wanted.kind === 'abstract') {
      return (
        given.name === wanted.name &&
        given.parameters.length === wanted.parameters.length &&
        given.parameters.every((each, at) => this.fits(each, wanted.parameters[at] ?? each))
      )
    }
    return isSameType(given, wanted)
  }

  #binds(parameter: TypeParameter, type: Type): boolean {
    if (type.kind === 'parameter' && type.name === parameter.name) return true
    const known = this.#types.get(parameter.name)
    if (known === undefined) {
      if (!mentions(this.resolve(type), parameter.name)) this.#types.set(parameter.name, type)
      return true
    }
    if (isSameType(known, type)) return true
    if (!this.fits(type, known)) return false
    const general = this.mostGeneral(type, known)
    if (!mentions(this.resolve(general), parameter.name)) this.#types.set(parameter.name, general)
    return true
  }

  /** Of two types that fit one another the one that says less. */
  mostGeneral(a: Type, b: Type): Type {
    return saysLess(this.resolve(a), this.resolve(b)) ? a : b
  }
}

function mentions(type: Type, name: string): boolean {
  switch (type.kind) {
    case 'parameter':
      return type.name === name
    case 'list':
      return mentions(type.item, name)
    case 'map':
      return mentions(type.key, name) || mentions(type.value, name)
    case 'type':
      return mentions(type.of, name)
    case 'abstract':
      return type.parameters.some((each) => mentions(each, name))
    default:
      return false
  }
}

function isNullable(type: Type): boolean {
  return (
    isSimple(type, 'null', 'timestamp', 'duration') ||
    type.kind === 'object' ||
    (type.kind === 'abstract' && type.name !== 'optional_type')
  )
}

function saysLess(a: Type, b: Type): boolean {
  if (isDynamic(a) || a.kind === 'parameter') return true
  if (isSimple(a, 'null')) return false
  if (isSimple(b, 'null')) return true
  if (a.kind === 'list' && b.kind === 'list') return saysLess(a.item, b.item)
  if (a.kind === 'map' && b.kind === 'map') return saysLess(a.key, b.key) && saysLess(a.value, b.value)
  return isSameType(a, b)
}
