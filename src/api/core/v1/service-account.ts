import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import type { ServiceAccount } from '../../types/core.v1.ts'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  hasGeneration: false,
  cells: nameAndAge,
  deleteReturnsObject: true,
})
