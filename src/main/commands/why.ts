import { explainableKinds, explainObject } from '#cli/why/explain-object.ts'
import { formatReport } from '#cli/why/format-report.ts'
import { WhyReader } from '#cli/why/why-reader.ts'
import { defineCommand, type Terminal } from '#cli/command.ts'
import { systemClock } from '#lib/clock.ts'
import { openCluster } from '../admin-access.ts'

const stuck = 1
const notUsable = 2

export const why = defineCommand({
  name: 'why',
  summary: 'Say why a pod or a workload does not run, and what would help',
  description:
    'Follows an object to the cause of its trouble: from a deployment to its pods, from a pod to its node, its volumes, ' +
    'its images or the scheduler, and prints the chain in words with what would help. For a pod without a node the ' +
    'scheduler itself is asked what each of its rules said of each node.\n\n' +
    'The exit code is 0 for an object that is well, 1 for one that is not (or not yet), and 2 where the question cannot ' +
    `be answered.\n\nKinds: ${explainableKinds.join(', ')}.`,
  operands: 'KIND/NAME',
  usageExitCode: notUsable,
  examples: [
    '# Why does this pod not run?',
    'coracle why pod/web-1',
    '# The whole way from a deployment to the cause, for a program',
    'coracle why deployment/web -n shop -o json',
  ],
  flags: [
    { name: 'namespace', shorthand: 'n', type: 'string', default: 'default', help: 'Namespace of the object' },
    { name: 'output', shorthand: 'o', type: 'string', default: '', help: 'json for the whole report as JSON' },
    {
      name: 'kubeconfig',
      type: 'string',
      default: '',
      help: "Kubeconfig (default: $KUBECONFIG, else that of this machine's cluster)",
    },
  ],
  async run({ values, operands, terminal }) {
    const target = targetOf(operands)
    if (!target) return refuse(terminal, 'name one object as KIND/NAME, such as pod/web-1')
    if (!['', 'json'].includes(values.output))
      return refuse(terminal, `unknown output format "${values.output}"; use json`)
    try {
      using cluster = await openCluster(values.kubeconfig)
      const reader = new WhyReader(cluster.client, systemClock.now())
      const answer = await explainObject({ ...target, namespace: values.namespace }, reader)
      if (answer === 'unknown kind') {
        return refuse(terminal, `cannot explain "${target.kind}"; the kinds are ${explainableKinds.join(', ')}`)
      }
      if (answer === 'not found') return refuse(terminal, `${target.kind} "${target.name}" not found`)
      terminal.write(values.output === 'json' ? `${JSON.stringify(answer, undefined, 2)}\n` : formatReport(answer))
      return answer.state === 'fine' ? 0 : stuck
    } catch (error) {
      return refuse(terminal, (error as Error).message)
    }
  },
})

/** `pod/web` or `pod web`. */
function targetOf(operands: readonly string[]): { readonly kind: string; readonly name: string } | undefined {
  const [kind = '', name = '', ...rest] = operands.length === 1 ? (operands[0] ?? '').split('/') : operands
  return kind === '' || name === '' || rest.length > 0 ? undefined : { kind, name }
}

function refuse(terminal: Terminal, message: string): number {
  terminal.writeError(`error: ${message}\n`)
  return notUsable
}
