import { writeFile } from 'node:fs/promises'
import { ociArchive } from '#lib/oci-archive.ts'
import { tarArchive } from '#lib/tar.ts'
import { pauseProgram } from './pause-program.ts'

/** The name under which pod sandboxes ask for the image. The tag changes whenever the bytes do. */
export const pauseImageReference = 'coracle.dev/pause:1'

/**
 * Writes the image of pod sandboxes for this machine's architecture as an OCI archive to `path` and returns its
 * reference. Its only file is the program that waits for the pod's end.
 */
export async function writePauseImage(path: string): Promise<string> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const layer = tarArchive([{ path: 'pause', kind: 'file', content: pauseProgram(architecture), mode: 0o755 }])
  const config = { Entrypoint: ['/pause'], User: '65535:65535' }
  await writeFile(path, ociArchive([{ reference: pauseImageReference, architecture, layers: [layer], config }]))
  return pauseImageReference
}
