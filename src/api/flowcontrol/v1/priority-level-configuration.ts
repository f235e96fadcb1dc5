import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { within } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from '../../types/flowcontrol.v1.ts'

export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  hasGeneration: true,
  setDefaults: setLevelDefaults,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateLevel,
  cells: ({ metadata, spec }, nowMs) => {
    const queuing = spec.limited?.limitResponse?.queuing
    const shares = spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares
    return [
      metadata.name,
      spec.type,
      shares ?? '<none>',
      queuing?.queues ?? '<none>',
      queuing?.handSize ?? '<none>',
      queuing?.queueLengthLimit ?? '<none>',
      ageOf(metadata.creationTimestamp, nowMs),
    ]
  },
})

const defaultShares = 30
const defaultQueuing = { queues: 64, handSize: 8, queueLengthLimit: 50 }

function setLevelDefaults({ spec }: Draft<PriorityLevelConfiguration>): void {
  if (spec?.exempt !== undefined) {
    spec.exempt.nominalConcurrencyShares ??= 0
    spec.exempt.lendablePercent ??= 0
  }
  if (spec?.limited === undefined) return
  spec.limited.nominalConcurrencyShares ??= defaultShares
  spec.limited.lendablePercent ??= 0
  const queuing = spec.limited.limitResponse?.queuing
  if (queuing === undefined) return
  queuing.queues ||= defaultQueuing.queues
  queuing.handSize ||= defaultQueuing.handSize
  queuing.queueLengthLimit ||= defaultQueuing.queueLengthLimit
}

function validateLevel({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const { type, limited, exempt } = spec
  const errors: FieldError[] = []
  if ((metadata.name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
  }
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(forbiddenField('spec.limited', "must be nil if the type is 'Exempt'"))
    return [...errors, ...within(exempt?.lendablePercent, 0, 100, 'spec.exempt.lendablePercent')]
  }
  if (type !== 'Limited') return [...errors, notSupported('spec.type', type, ['Exempt', 'Limited'])]
  if (exempt !== undefined) errors.push(forbiddenField('spec.exempt', "must be nil if the type is 'Limited'"))
  if (limited === undefined) return [...errors, required('spec.limited', "must not be empty when type is 'Limited'")]
  return [...errors, ...validateLimited(limited, 'spec.limited')]
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const { nominalConcurrencyShares: shares = 0, lendablePercent, borrowingLimitPercent, limitResponse } = limited
  const errors: FieldError[] = []
  if (shares < 0)
    errors.push(invalidValue(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'))
  const type = limitResponse?.type ?? ''
  if (type === 'Queue') {
    const { queuing } = limitResponse ?? {}
    const at = `${path}.limitResponse.queuing`
    if (queuing === undefined) errors.push(required(at, "must not be empty if limitResponse.type is 'Queue'"))
    else errors.push(...validateQueuing(queuing, at))
  } else if (type !== 'Reject') {
    errors.push(notSupported(`${path}.limitResponse.type`, type, ['Queue', 'Reject']))
  } else if (limitResponse?.queuing !== undefined) {
    errors.push(
      forbiddenField(`${path}.limitResponse.queuing`, "must be nil if limited.limitResponse.type is not 'Limited'"),
    )
  }
  errors.push(...within(lendablePercent, 0, 100, `${path}.lendablePercent`))
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const detail = 'if specified, must be a non-negative integer'
    errors.push(invalidValue(`${path}.borrowingLimitPercent`, borrowingLimitPercent, detail))
  }
  return errors
}

const maxQueues = 10_000_000
const maxEntropyBits = 60

/** A hand is dealt from one hash: its bits must suffice for each card. */
function entropyBits(deck: number, hand: number): number {
  return Math.ceil(Math.log2(deck) * hand)
}

function validateQueuing(queuing: QueuingConfiguration, path: string): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing
  const errors: FieldError[] = []
  if (queueLengthLimit <= 0) errors.push(invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalidValue(`${path}.queues`, queues, 'must be positive'))
  else if (queues > maxQueues)
    errors.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${maxQueues}`))
  if (handSize <= 0) errors.push(invalidValue(`${path}.handSize`, handSize, 'must be positive'))
  else if (handSize > queues) {
    errors.push(invalidValue(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`))
  } else if (entropyBits(queues, handSize) > maxEntropyBits) {
    const what = `required entropy bits of deckSize ${queues} and handSize ${handSize}`
    errors.push(invalidValue(`${path}.handSize`, handSize, `${what} should not be greater than ${maxEntropyBits}`))
  }
  return errors
}
