const form = /^v(\d+)(?:(alpha|beta)(\d+))?$/
const stages: Readonly<Record<string, number>> = { alpha: 0, beta: 1 }

/**
 * Orders versions by how much Kubernetes prefers them: v2, v1, v2beta1, v1beta2, v1alpha1, then other names by alphabet
 * (API reference, "CustomResourceDefinition: Version priority").
 */
export function compareVersions(left: string, right: string): number {
  const a = form.exec(left)
  const b = form.exec(right)
  if (a === null && b === null) return left < right ? -1 : left === right ? 0 : 1
  if (a === null || b === null) return a === null ? 1 : -1
  const stage = stageOf(b) - stageOf(a)
  if (stage !== 0) return stage
  return Number(b[1]) - Number(a[1]) || Number(b[3] ?? 0) - Number(a[3] ?? 0)
}

function stageOf(version: RegExpExecArray): number {
  return version[2] === undefined ? 2 : (stages[version[2]] ?? 0)
}
