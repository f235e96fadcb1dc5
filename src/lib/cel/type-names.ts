import { CelType } from './values.ts'

const names = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type', 'optional_type']

/** Types that expressions can name. */
export const typeNames: Readonly<Record<string, CelType>> = Object.fromEntries(
  names.map((name) => [name, new CelType(name)]),
)
