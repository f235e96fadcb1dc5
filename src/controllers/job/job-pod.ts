import type { New } from '#api/meta/resource.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Container, EnvVar, Pod } from '#api/types/core.v1.ts'
import { podFromTemplate } from '../pod-from-template.ts'
import { completionIndexName } from './completion-index.ts'
import { failureCountName, ignoredFailureCountName, type IndexFailures } from './index-failures.ts'
import { trackingFinalizer } from './tally.ts'

const indexVariable = 'JOB_COMPLETION_INDEX'

/**
 * A pod of the job; one with an index knows it by annotation, label, host name and environment, and the failures of its
 * index where those are limited.
 */
export function jobPod(job: Job, index: number | undefined, failures?: IndexFailures): New<Pod> {
  const pod = podFromTemplate(job, job.spec.template)
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer]
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } }
  const tries = job.spec.backoffLimitPerIndex === undefined ? {} : countsOf(failures)
  const mark = { [completionIndexName]: String(index) }
  const { initContainers } = pod.spec
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${job.metadata.name}-${index}-`,
      finalizers,
      labels: { ...pod.metadata.labels, ...mark },
      annotations: { ...pod.metadata.annotations, ...mark, ...tries },
    },
    spec: {
      ...pod.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: pod.spec.containers.map(withIndex),
      ...(initContainers && { initContainers: initContainers.map(withIndex) }),
    },
  }
}

function countsOf({ counted, ignored }: IndexFailures = { counted: 0, ignored: 0 }): Record<string, string> {
  return {
    [failureCountName]: String(counted),
    ...(ignored > 0 && { [ignoredFailureCountName]: String(ignored) }),
  }
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexVariable)) return container
  const fieldPath = `metadata.labels['${completionIndexName}']`
  const variable: EnvVar = { name: indexVariable, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }
  return { ...container, env: [...(container.env ?? []), variable] }
}
