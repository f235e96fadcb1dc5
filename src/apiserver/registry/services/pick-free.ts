import type { Random } from '#lib/random.ts'

export interface Slots {
  readonly size: number
  /** Slots below this are used only when all others are taken. */
  readonly dynamicStart: number
  readonly isTaken: (slot: number) => boolean
}

/** A free slot: tried at random in the upper band first, then one after the other, then in the lower band. */
export function pickFree(slots: Slots, random: Random): number | undefined {
  return pickIn(slots, slots.dynamicStart, slots.size, random) ?? pickIn(slots, 0, slots.dynamicStart, random)
}

function pickIn({ isTaken }: Slots, from: number, to: number, random: Random): number | undefined {
  const width = to - from
  if (width <= 0) return undefined
  const start = Math.floor(random.next() * width)
  for (let step = 0; step < width; step++) {
    const slot = from + ((start + step) % width)
    if (!isTaken(slot)) return slot
  }
  return undefined
}
