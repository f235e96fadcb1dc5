import type { ContainerStatus } from '../cri/container.ts'
import { parseCriLine } from '../logs/cri-line.ts'
import { terminationPathAnnotation, terminationPolicyAnnotation } from './labels.ts'
import type { PodHost } from './pod-host.ts'

/** Limits of the API (ContainerStateTerminated) for the file and for the log that stands in for it. */
const maximumFileBytes = 4096
const maximumLogBytes = 2048
const maximumLogLines = 80

/** The last words of a container that has ended: its termination log, or the end of its log after an error if it asked so. */
export async function terminationMessage(host: PodHost, run: ContainerStatus): Promise<string> {
  const containerPath = run.annotations[terminationPathAnnotation]
  const mount = run.mounts.find((candidate) => candidate.containerPath === containerPath)
  const text = mount === undefined ? '' : await host.readTail(mount.hostPath, { bytes: maximumFileBytes })
  if (text !== '' || run.exitCode === 0 || run.annotations[terminationPolicyAnnotation] !== 'FallbackToLogsOnError')
    return text
  const lines = (await host.readTail(run.logPath, { bytes: maximumLogBytes * 4, lines: maximumLogLines })).split('\n')
  const log = Buffer.from(lines.map((line) => parseCriLine(line)?.text ?? '').join(''), 'utf8')
  return log.subarray(-maximumLogBytes).toString('utf8')
}
