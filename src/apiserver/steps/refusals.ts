import type { ApiRequest } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import { patchTypes } from '../registry/patch-document.ts'

/** 404 for a path below a served group that names no resource. */
export function unknownResource(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource', { details: {} })
}

export function methodNotAllowed(): StatusError {
  return new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {
    details: {},
  })
}

/** The router's 415: it knows the patches of a built-in resource, and takes a list of types that has one of them. */
export function checkPatchType({ headers, body }: Pick<ApiRequest, 'headers' | 'body'>): void {
  const given = (headers['content-type'] ?? '').split(',').map((type) => type.split(';', 1)[0] ?? '')
  if (given.some((type) => patchTypes.includes(type))) return
  const isEmpty = body === undefined || (body instanceof Uint8Array && body.length === 0)
  const message = isEmpty ? '415: Unsupported Media Type\n\nAvailable representations: ' : '415: Unsupported Media Type'
  throw new StatusError('UnsupportedMediaType', message, { details: {} })
}
