import { StatusError, statusCodes, type StatusReason } from '#api/meta/status.ts'
import type { Status } from '#api/types/meta.v1.ts'

/** The `StatusError` that an answer with an HTTP code of 400 or more stands for: its Status, or one made from the code. */
export function failureOf(code: number, answer: unknown): StatusError {
  const status = parsed(answer)
  if (isStatus(status)) return StatusError.from({ ...status, code: status.code ?? code })
  const text =
    typeof answer === 'string' && answer !== '' ? answer.slice(0, 1024).trim() : `the server answered ${code}`
  return new StatusError(reasonOf(code), text, { code })
}

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && (value as Status).kind === 'Status'
}

function parsed(answer: unknown): unknown {
  if (typeof answer !== 'string' || !answer.startsWith('{')) return answer
  try {
    return JSON.parse(answer) as unknown
  } catch {
    return answer
  }
}

/** Codes that several reasons share mean the first of them: a bare 409 is a Conflict only if nothing says otherwise. */
function reasonOf(code: number): StatusReason | '' {
  if (code === 409) return 'Conflict'
  const found = Object.entries(statusCodes).find(([, known]) => known === code)
  return found === undefined ? '' : (found[0] as StatusReason)
}
