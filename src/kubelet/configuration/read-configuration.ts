import { parseDuration } from '#lib/go-duration.ts'
import { parseYaml, YamlError } from '#lib/yaml.ts'
import { configurationFields, type FieldShape, type FieldShapes } from './configuration-fields.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'

/** A configuration file that cannot be used; the message is what upstream's kubelet says when it refuses to start. */
class ConfigurationError extends Error {}

const apiVersion = 'kubelet.config.k8s.io/v1beta1'

/**
 * Reads the text of a configuration file, YAML or JSON. Nothing is overlooked: a field that does not exist, one that is
 * written twice and one of the wrong type are errors. Throws `ConfigurationError`.
 */
export function readConfiguration(text: string): KubeletConfiguration {
  const { value, duplicates } = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigurationError('failed to decode: the file holds no object')
  }
  const { kind, apiVersion: version } = value as { kind?: unknown; apiVersion?: unknown }
  if (kind === undefined || kind === '')
    throw new ConfigurationError("failed to decode: Object 'Kind' is missing in the file")
  if (kind !== 'KubeletConfiguration' || version !== apiVersion) {
    throw new ConfigurationError(
      `failed to decode: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)}`,
    )
  }
  const unknown: string[] = [...duplicates]
  const decoded = decodeFields(value as Record<string, unknown>, configurationFields, { path: '', unknown })
  if (unknown.length > 0) throw new ConfigurationError(`failed to decode: strict decoding error: ${unknown.join(', ')}`)
  return decoded as KubeletConfiguration
}

function parse(text: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text)
  } catch (error) {
    if (error instanceof YamlError) throw new ConfigurationError(`failed to decode: ${error.message}`)
    throw error
  }
}

interface Place {
  /** Of the object, with a dot at its end; empty at the top. */
  readonly path: string
  readonly unknown: string[]
}

function decodeFields(value: Readonly<Record<string, unknown>>, shapes: FieldShapes, place: Place): object {
  const fields: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    const path = `${place.path}${name}`
    // Feature gates have any name.
    const shape = place.path === 'featureGates.' ? 'boolean' : shapes[name]
    if (shape === undefined) place.unknown.push(`unknown field "${path}"`)
    else if (field !== null) fields[name] = decodeField(field, shape, { path, unknown: place.unknown })
  }
  return fields
}

function decodeField(value: unknown, shape: FieldShape, place: Place): unknown {
  if (typeof shape === 'object') return decodeNested(value, shape, place)
  switch (shape) {
    case 'duration':
      return decodeDuration(value, place.path)
    case 'timeOrNanoseconds':
      return typeof value === 'number' ? value / 1e6 : decodeDuration(value, place.path)
    case 'quantity':
      return ['string', 'number'].includes(typeof value) ? value : mismatch(value, place.path, 'Quantity')
    case 'strings':
      return isListOf(value, 'string') ? value : mismatch(value, place.path, '[]string')
    case 'textMap':
      return isMap(value) && isListOf(Object.values(value), 'string')
        ? value
        : mismatch(value, place.path, 'map[string]string')
    case 'headers':
      return isMap(value) ? value : mismatch(value, place.path, 'map[string][]string')
    case 'integer':
      return Number.isInteger(value) ? value : mismatch(value, place.path, 'int32')
    case 'number':
      return typeof value === 'number' ? value : mismatch(value, place.path, 'float64')
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, place.path, 'bool')
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, place.path, 'string')
  }
}

function decodeNested(value: unknown, shape: Exclude<FieldShape, string>, { path, unknown }: Place): unknown {
  if ('fields' in shape) {
    if (!isMap(value)) return mismatch(value, path, 'object')
    return decodeFields(value, shape.fields, { path: `${path}.`, unknown })
  }
  if (!Array.isArray(value)) return mismatch(value, path, 'list')
  return value.map((item: unknown, index) => {
    const place = { path: `${path}[${index}].`, unknown }
    return isMap(item) ? decodeFields(item, shape.items, place) : mismatch(item, `${path}[${index}]`, 'object')
  })
}

function decodeDuration(value: unknown, path: string): number {
  if (typeof value !== 'string') return mismatch(value, path, 'string')
  const durationMs = parseDuration(value)
  if (durationMs === undefined)
    throw new ConfigurationError(`failed to decode: ${path}: time: invalid duration "${value}"`)
  return durationMs
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOf(value: unknown, type: 'string'): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

function mismatch(value: unknown, path: string, type: string): never {
  const given = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  throw new ConfigurationError(
    `failed to decode: json: cannot unmarshal ${given} into Go struct field KubeletConfiguration.${path} of type ${type}`,
  )
}
