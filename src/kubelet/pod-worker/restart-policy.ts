import type { Container, PodSpec } from '#api/types/core.v1.ts'

type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

/** A container's own policy goes before the pod's (KEP-5307). */
function restartPolicyOf(spec: PodSpec, container: Container): RestartPolicy {
  return (container.restartPolicy as RestartPolicy | undefined) ?? spec.restartPolicy ?? 'Always'
}

/** What the container's own rules say of its end; the first rule that names the code decides. */
export function restartActionOf({ restartPolicyRules = [] }: Container, exitCode: number): string | undefined {
  return restartPolicyRules.find(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false
    return exitCodes?.operator === 'NotIn' ? !isListed : isListed
  })?.action
}

/** Whether a main container that ended with the code runs again. */
export function shouldRestart(spec: PodSpec, container: Container, exitCode: number): boolean {
  if (restartActionOf(container, exitCode) !== undefined) return true
  const policy = restartPolicyOf(spec, container)
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** Init containers always run to success, so `Always` and `OnFailure` mean the same to them. */
export function shouldRestartInit(spec: PodSpec, container: Container, exitCode: number): boolean {
  return exitCode !== 0 && (restartPolicyOf(spec, container) !== 'Never' || shouldRestart(spec, container, exitCode))
}
