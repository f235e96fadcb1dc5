import { isPlainObject } from '../schema/own-member.ts'

/**
 * The order of a merged list: items named by the patch stand in the patch's order, the others in the server's; where both
 * meet, an item that only the server has goes before the first patched item that followed it on the server.
 *
 * Example: the server has [X, Y] and the patch names [X, Z]. Y comes after X on the server, and Z is unknown there, so
 * that the result is [X, Z, Y].
 */
export function arrange(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const patchPlaces = placesOf(patchOrder, mergeKey)
  const serverPlaces = placesOf(serverOrder, mergeKey)
  const placeIn = (places: Places, item: unknown): number => places.get(identity(item, mergeKey)) ?? -1
  const patched = merged.filter((item) => placeIn(patchPlaces, item) >= 0)
  const serverOnly = merged.filter((item) => placeIn(patchPlaces, item) < 0)
  patched.sort((a, b) => placeIn(patchPlaces, a) - placeIn(patchPlaces, b))
  serverOnly.sort((a, b) => placeIn(serverPlaces, a) - placeIn(serverPlaces, b))
  return interleave(serverOnly, patched, (item) => placeIn(serverPlaces, item))
}

type Places = ReadonlyMap<string, number>

function placesOf(order: readonly unknown[], mergeKey: string | undefined): Places {
  const places = new Map<string, number>()
  for (const [index, item] of order.entries()) {
    const id = identity(item, mergeKey)
    if (!places.has(id)) places.set(id, index)
  }
  return places
}

function identity(item: unknown, mergeKey: string | undefined): string {
  return JSON.stringify(mergeKey !== undefined && isPlainObject(item) ? (item[mergeKey] ?? null) : item)
}

function interleave(
  serverOnly: readonly unknown[],
  patched: readonly unknown[],
  serverPlace: (item: unknown) => number,
): unknown[] {
  const result: unknown[] = []
  let next = 0
  for (const item of patched) {
    const place = serverPlace(item)
    while (next < serverOnly.length && serverPlace(serverOnly[next]) < place) result.push(serverOnly[next++])
    result.push(item)
  }
  return [...result, ...serverOnly.slice(next)]
}
