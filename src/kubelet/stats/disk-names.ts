/** Reads `/proc/diskstats`: the paths of disks and their parts by their numbers, such as `8:0` and `/dev/sda`. */
export function parseDiskNames(diskstats: string): ReadonlyMap<string, string> {
  return new Map(
    diskstats.split('\n').flatMap((line) => {
      const [, major, minor, name] = /^\s*(\d+)\s+(\d+)\s+(\S+)/.exec(line) ?? []
      return name === undefined ? [] : [[`${major}:${minor}`, `/dev/${name}`] as const]
    }),
  )
}
