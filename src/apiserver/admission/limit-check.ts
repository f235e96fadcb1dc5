import { compareQuantities, quantityToNumber } from '#api/meta/quantity.ts'
import type { Quantity } from '#api/types/meta.v1.ts'
import type { LimitRangeItem } from '#api/types/core.v1.ts'

export interface Resources {
  readonly requests?: Readonly<Record<string, Quantity>> | undefined
  readonly limits?: Readonly<Record<string, Quantity>> | undefined
}

/** Every bound of one LimitRange item that the given requests and limits break, in upstream's words. */
export function checkLimits(item: LimitRangeItem, { requests, limits }: Resources): string[] {
  const each = (bounds: Readonly<Record<string, Quantity>> | undefined, check: typeof belowMinimum): string[] =>
    Object.keys(bounds ?? {})
      .toSorted()
      .flatMap((name) =>
        check({ name, type: item.type, bound: bounds![name]!, request: requests?.[name], limit: limits?.[name] }),
      )
  return [
    ...each(item.min, belowMinimum),
    ...each(item.max, aboveMaximum),
    ...each(item.maxLimitRequestRatio, aboveRatio),
  ]
}

interface Bounded {
  readonly name: string
  readonly type: string
  readonly bound: Quantity
  readonly request: Quantity | undefined
  readonly limit: Quantity | undefined
}

function belowMinimum({ name, type, bound, request, limit }: Bounded): string[] {
  const rule = `minimum ${name} usage per ${type} is ${bound}`
  if (request === undefined) return [`${rule}.  No request is specified`]
  if (compareQuantities(request, bound) < 0) return [`${rule}, but request is ${request}`]
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? [`${rule}, but limit is ${limit}`] : []
}

function aboveMaximum({ name, type, bound, request, limit }: Bounded): string[] {
  const rule = `maximum ${name} usage per ${type} is ${bound}`
  if (limit === undefined) return [`${rule}.  No limit is specified`]
  if (compareQuantities(limit, bound) > 0) return [`${rule}, but limit is ${limit}`]
  return request !== undefined && compareQuantities(request, bound) > 0 ? [`${rule}, but request is ${request}`] : []
}

function aboveRatio({ name, type, bound, request, limit }: Bounded): string[] {
  const rule = `${name} max limit to request ratio per ${type} is ${bound}`
  if (request === undefined || quantityToNumber(request) === 0)
    return [`${rule}, but no request is specified or request is 0`]
  if (limit === undefined || quantityToNumber(limit) === 0) return [`${rule}, but no limit is specified or limit is 0`]
  const ratio = quantityToNumber(limit) / quantityToNumber(request)
  return ratio > quantityToNumber(bound) ? [`${rule}, but provided ratio is ${ratio.toFixed(6)}`] : []
}
