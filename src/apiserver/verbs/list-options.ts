import { badRequest, invalid, type FieldError } from '#api/meta/status.ts'
import { isTrue } from '../request-info.ts'

/** The query of a list or watch, read and checked. */
export interface CollectionOptions {
  readonly labelSelector: string
  readonly fieldSelector: string
  /** Items a page, 0: all. */
  readonly limit: number
  readonly continue: string
  /** As sent; empty when absent. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly timeoutSeconds: number | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

/** Reads the options; throws `BadRequest` for a number that is none. */
export function readCollectionOptions(query: URLSearchParams): CollectionOptions {
  const initial = query.get('sendInitialEvents')
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: Math.max(readInteger(query, 'limit') ?? 0, 0),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: readInteger(query, 'timeoutSeconds'),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
  }
}

/** A whole number of the query, undefined where it has none. Throws `BadRequest` for what is no such number. */
export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const isNumber = /^[+-]?\d+$/.test(text)
  if (isNumber && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return Number(text)
  const why = isNumber ? 'value out of range' : 'invalid syntax'
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`)
}

/** What may not stand together in a list's options (API reference, "Resource versions"). */
export function checkListOptions(options: CollectionOptions): void {
  const errors: FieldError[] = []
  const { resourceVersionMatch: match, resourceVersion } = options
  if (match !== '') {
    if (resourceVersion === '') {
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      )
    }
    if (options.continue !== '') {
      errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(unknownMatch(match, '"Exact", "NotOlderThan", ""'))
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      )
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  refuse(errors)
}

/** What may not stand together in a watch's options. */
export function checkWatchOptions(options: CollectionOptions): void {
  const errors: FieldError[] = []
  const { resourceVersionMatch: match, sendInitialEvents } = options
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(
      forbiddenField('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    )
  }
  if (match !== '' && sendInitialEvents === undefined) {
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    )
  }
  if (match !== '' && match !== 'NotOlderThan') errors.push(unknownMatch(match, '"NotOlderThan"'))
  if (match !== '' && options.continue !== '') {
    errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  }
  refuse(errors)
}

function forbiddenField(field: string, message: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${message}` }
}

function unknownMatch(match: string, supported: string): FieldError {
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`
  return { type: 'FieldValueNotSupported', field: 'resourceVersionMatch', message }
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions', name: '' }, errors)
}
