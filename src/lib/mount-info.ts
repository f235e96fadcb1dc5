/** Mount points at or below any of the folders, the deepest and latest first. Reads the text of `/proc/self/mountinfo`. */
export function mountsUnder(mountInfo: string, folders: readonly string[]): string[] {
  const points = mountInfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map(unescapeMountPoint)
  return points
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse()
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeMountPoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
