import { lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

interface LoggedPod {
  readonly name: string
  readonly namespace?: string | undefined
}

/** One run of a container, with its log on the node. */
export interface LoggedContainer {
  readonly id: string
  readonly name: string
  readonly logPath: string
}

const extension = '.log'
/** As long as file systems take names. */
const maximumName = 255

/** The files of containers' logs, and the links by which log collectors find them. */
export class ContainerLogFiles {
  readonly #linksDir: string

  /** `linksDir`: one flat folder with a link to each container's log, as `/var/log/containers` is. */
  constructor(linksDir: string) {
    this.#linksDir = linksDir
  }

  async link(pod: LoggedPod, container: LoggedContainer): Promise<void> {
    const path = join(this.#linksDir, linkName(pod, container))
    if ((await readlink(path).catch(() => undefined)) === container.logPath) return
    await mkdir(this.#linksDir, { recursive: true, mode: 0o755 })
    await rm(path, { force: true })
    await symlink(container.logPath, path)
  }

  /** The container is gone: so are its log, what was rotated of it, and its link. */
  async remove(pod: LoggedPod, container: LoggedContainer): Promise<void> {
    await rm(join(this.#linksDir, linkName(pod, container)), { force: true })
    if (container.logPath === '') return
    const folder = dirname(container.logPath)
    const name = basename(container.logPath)
    for (const file of await readdir(folder).catch(() => []))
      if (file === name || file.startsWith(`${name}.`)) await rm(join(folder, file), { force: true })
  }

  /** Takes away links whose logs are gone with everything else of their pod. */
  async removeLinksInto(folder: string): Promise<void> {
    for (const name of await readdir(this.#linksDir).catch(() => [])) {
      const path = join(this.#linksDir, name)
      const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
      if (isLink && (await readlink(path)).startsWith(`${folder}/`)) await rm(path, { force: true })
    }
  }
}

/** `pod_namespace_container-id.log`, as collectors take it apart again. */
function linkName({ name, namespace = '' }: LoggedPod, container: LoggedContainer): string {
  const text = `${name}_${namespace}_${container.name}-${container.id}`
  return text.slice(0, maximumName - extension.length) + extension
}
