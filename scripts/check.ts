/** The gate of `npm run check`: tidy, types, lint, format and unit tests. Exits with 1 when any of them fails. */
import { runGate } from './gate/run-gate.ts'

const { failed } = await runGate((text) => process.stdout.write(text))
process.exitCode = failed === 0 ? 0 : 1
