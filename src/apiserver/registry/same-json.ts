/** Whether two JSON-shaped values are equal. Members that are `undefined` count as absent; key order does not matter. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) return sameArrays(left, right)
  return sameMembers(left as Members, right as Members)
}

type Members = Readonly<Record<string, unknown>>

function sameArrays(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
  return left.every((item, index) => sameJson(item, right[index]))
}

function sameMembers(left: Members, right: Members): boolean {
  let expected = 0
  for (const key of Object.keys(left)) {
    if (left[key] === undefined) continue
    if (!Object.hasOwn(right, key) || !sameJson(left[key], right[key])) return false
    expected++
  }
  let found = 0
  for (const key of Object.keys(right)) if (right[key] !== undefined) found++
  return expected === found
}
