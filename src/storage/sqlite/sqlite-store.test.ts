import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { storeCases } from '../store.case.ts'
import { openSqliteStore } from './sqlite-store.ts'

async function temporaryPath(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-store-'))
  context.after(() => rm(folder, { recursive: true }))
  return join(folder, 'data', 'state.db')
}

storeCases('sqlite', async (context) =>
  openSqliteStore({ path: await temporaryPath(context), log: silentLog, clock: systemClock }),
)
