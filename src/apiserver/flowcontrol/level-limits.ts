import type { PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'
import type { LevelLimits } from './priority-level.ts'

/** Divides the server's seats among the levels by their shares, rounded up (documentation, "API Priority and Fairness"). */
export function divideSeats(levels: readonly PriorityLevelConfiguration[], total: number): LevelLimits[] {
  const shares = levels.map(sharesOf)
  const sum = Math.max(
    shares.reduce((all, share) => all + share, 0),
    1,
  )
  return levels.map(({ spec }, index) => {
    const nominal = Math.ceil((total * (shares[index] ?? 0)) / sum)
    const { lendablePercent = 0 } = spec.limited ?? spec.exempt ?? {}
    const borrowing = spec.limited?.borrowingLimitPercent
    return {
      nominal,
      lendable: Math.round((nominal * lendablePercent) / 100),
      borrowable: borrowing === undefined ? total : Math.round((nominal * borrowing) / 100),
    }
  })
}

const defaultShares = 30

function sharesOf({ spec }: PriorityLevelConfiguration): number {
  if (spec.type === 'Exempt') return spec.exempt?.nominalConcurrencyShares ?? 0
  return spec.limited?.nominalConcurrencyShares ?? defaultShares
}
