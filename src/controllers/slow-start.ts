/**
 * Does `count` things in batches of 1, 2, 4, …: when the first one fails for a reason that all share, such as a full
 * quota, the rest is not tried. Waits for a whole batch. How many succeeded, and the first error.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<{ succeeded: number; error: unknown }> {
  let succeeded = 0
  let done = 0
  for (let batch = 1; done < count; batch *= 2) {
    const size = Math.min(batch, count - done)
    const first = done
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => act(first + index)))
    const failure = results.find((result) => result.status === 'rejected')
    succeeded += results.filter((result) => result.status === 'fulfilled').length
    if (failure !== undefined) return { succeeded, error: failure.reason }
    done += size
  }
  return { succeeded, error: undefined }
}
