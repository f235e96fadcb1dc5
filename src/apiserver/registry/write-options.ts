import { StatusError, invalid, type FieldError } from '#api/meta/status.ts'
import type { RequestContext } from '../request-context.ts'

/** The query of a write, read and checked. */
export interface WriteOptions {
  readonly dryRun: boolean
  /** Who is recorded in `managedFields`. */
  readonly fieldManager: string
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  /** Only for server-side apply. */
  readonly force: boolean | undefined
}

/** Reads the options of a create, update or patch; throws `Invalid` as upstream words it. */
export function readWriteOptions({ request }: RequestContext, kind: OptionsKind): WriteOptions {
  const { query } = request
  if (query.size === 0) return { ...usualOptions, fieldManager: managerOf(request.headers['user-agent']) }
  const errors: FieldError[] = []
  const dryRun = query.getAll('dryRun')
  const validation = query.get('fieldValidation') ?? ''
  const manager = query.get('fieldManager') ?? ''
  errors.push(...dryRunErrors(dryRun))
  if (validation !== '' && !isFieldValidation(validation)) {
    const message = `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`
    errors.push({ type: 'FieldValueNotSupported', field: 'fieldValidation', message })
  }
  errors.push(...managerErrors(manager))
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind, name: '' }, errors)
  const force = query.get('force')
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager === '' ? managerOf(request.headers['user-agent']) : manager,
    fieldValidation: isFieldValidation(validation) ? validation : 'Warn',
    force: force === null || force === '' ? undefined : force !== 'false' && force !== '0',
  }
}

const usualOptions = { dryRun: false, fieldValidation: 'Warn', force: undefined } as const

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'

export function dryRunErrors(values: readonly string[]): FieldError[] {
  if (values.length === 0 || (values.length === 1 && values[0] === 'All')) return []
  const shown = `[${values.map((value) => JSON.stringify(value)).join(',')}]`
  const message = `Unsupported value: ${shown}: supported values: "All"`
  return [{ type: 'FieldValueNotSupported', field: 'dryRun', message }]
}

const longestManager = 128

function managerErrors(manager: string): FieldError[] {
  const field = 'fieldManager'
  if (manager.length > longestManager) {
    return [{ type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${longestManager} bytes` }]
  }
  const isPrintable = /^[\P{C}]*$/u.test(manager)
  if (isPrintable) return []
  const message = `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`
  return [{ type: 'FieldValueInvalid', field, message }]
}

/** The first word of the user agent up to its slash: `kubectl` of `kubectl/v1.36.2 (linux/amd64)`. */
function managerOf(userAgent: string | undefined): string {
  const agent = userAgent ?? ''
  const cut = agent.indexOf('/')
  const name = agent.slice(0, Math.min(cut < 0 ? agent.length : cut, longestManager))
  return name === '' ? 'unknown' : name
}

function isFieldValidation(text: string): text is WriteOptions['fieldValidation'] {
  return text === 'Ignore' || text === 'Warn' || text === 'Strict'
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return new StatusError('UnsupportedMediaType', message)
}
