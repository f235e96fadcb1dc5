import { formatAmount, type NodeExplanation } from '#api/core/v1/scheduling-explanation.ts'
import type { WhyReport } from './why-report.ts'

const maxNodesShown = 5

/** A report in words, for a terminal. */
export function formatReport(report: WhyReport): string {
  const { kind, namespace, name, summary, chain, causes, nodes, notes } = report
  const object = `${kind.toLowerCase()} ${namespace === undefined ? '' : `${namespace}/`}${name}`
  const remedies = [...new Set(causes.flatMap((cause) => cause.remedies))]
  return [
    `${object}: ${summary}.\n`,
    section(
      '',
      [...chain, ...causes.map(({ message }) => message)].map((line, depth) => `${indent(depth)}${line}`),
    ),
    section('Nearest fits:', nodes.slice(0, maxNodesShown).flatMap(fit)),
    section(
      'What would help:',
      remedies.map((remedy) => `- ${remedy}`),
    ),
    section(
      '',
      notes.map((note) => `Note: ${note}.`),
    ),
  ].join('')
}

function indent(depth: number): string {
  return depth === 0 ? '' : `${'  '.repeat(Math.min(depth, 4) - 1)}→ `
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const head = title === '' ? '' : `${title}\n`
  return `\n${head}${lines.map((line) => `  ${line.replaceAll('\n', '\n    ')}\n`).join('')}`
}

function fit({ node, reason, missing = [], remedy }: NodeExplanation): string[] {
  const amounts = missing.map(({ resource, requested, free }) => {
    const [wanted, left] = [requested, Math.max(free, 0)].map((amount) => formatAmount(resource, amount))
    return `${wanted} ${resource} wanted, ${left} free`
  })
  const why = [reason.replaceAll('\n', ', '), ...amounts].join('; ')
  return [`${node}: ${why}${remedy === undefined ? '' : ` → ${remedy}`}`]
}
