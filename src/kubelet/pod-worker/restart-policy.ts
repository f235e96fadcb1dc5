import type { Container, PodSpec } from '#api/types/core.v1.ts'

type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

/** The container's own policy (KEP-753, KEP-5307), else the pod's. */
function restartPolicyOf(spec: PodSpec, container: Container): RestartPolicy {
  return (container.restartPolicy as RestartPolicy | undefined) ?? spec.restartPolicy ?? 'Always'
}

/** Whether a main container that ended with the code runs again. The first rule that names the code decides. */
export function shouldRestart(spec: PodSpec, container: Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    const listed = exitCodes?.values?.includes(exitCode) ?? false
    const matches = exitCodes?.operator === 'NotIn' ? !listed : listed
    if (matches && action === 'Restart') return true
  }
  const policy = restartPolicyOf(spec, container)
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** Init containers always run to success, so `Always` and `OnFailure` mean the same to them. */
export function shouldRestartInit(spec: PodSpec, container: Container, exitCode: number): boolean {
  return exitCode !== 0 && (restartPolicyOf(spec, container) !== 'Never' || shouldRestart(spec, container, exitCode))
}
