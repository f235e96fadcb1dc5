/**
 * Deals a hand of `size` different cards out of `deckSize`, the same one for the same name: flows with different names
 * rarely hold the same hand, so that a heavy one rarely blocks all queues of another.
 */
export function dealHand(name: string, deckSize: number, size: number): number[] {
  const hand: number[] = []
  let state = hashOf(name)
  for (let left = deckSize; hand.length < size && left > 0; left--) {
    state = mixed(state)
    hand.push(nthFree(hand, state % left))
  }
  return hand
}

/** The `position`th card that is not in the hand yet. */
function nthFree(hand: readonly number[], position: number): number {
  let card = position
  for (const taken of hand.toSorted((a, b) => a - b)) if (taken <= card) card++
  return card
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** One step of a bijection over 32 bits (Murmur3's finish), so that every bit of the hash reaches every card. */
function mixed(state: number): number {
  let next = (state + 0x9e3779b9) >>> 0
  next = Math.imul(next ^ (next >>> 16), 0x85ebca6b)
  next = Math.imul(next ^ (next >>> 13), 0xc2b2ae35)
  return (next ^ (next >>> 16)) >>> 0
}
