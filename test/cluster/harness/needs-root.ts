/** For the `skip` option of tests that run containers: false where they can run, else the reason. */
export const skipWithoutRoot: string | false =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'running containers needs root on Linux'
