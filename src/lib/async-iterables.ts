/** What generators do too, without their queue of promises: for streams that bring thousands of values a second. */

/** Each value of the source as `map` turns it; an error that `map` throws ends both. */
export function mapAsyncIterable<From, To>(
  source: AsyncIterable<From>,
  map: (value: From) => To,
): AsyncIterableIterator<To> {
  const from = source[Symbol.asyncIterator]()
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const result = await from.next()
      if (result.done === true) return { done: true, value: undefined }
      try {
        return { done: false, value: map(result.value) }
      } catch (error) {
        await from.return?.()
        throw error
      }
    },
    async return() {
      await from.return?.()
      return { done: true, value: undefined }
    },
  }
}

/** The values of what `open` resolves to. It is called when the first value is asked for, and not before. */
export function openedAsyncIterable<Value>(open: () => Promise<AsyncIterable<Value>>): AsyncIterableIterator<Value> {
  let opening: Promise<AsyncIterator<Value>> | undefined
  let opened: AsyncIterator<Value> | undefined
  let isEnded = false
  const openOnce = async (): Promise<AsyncIterator<Value>> => {
    const values = (opened = (await open())[Symbol.asyncIterator]())
    if (isEnded) await values.return?.()
    return values
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (!isEnded && opened !== undefined) return opened.next()
      const values = isEnded ? undefined : await (opening ??= openOnce())
      return isEnded || values === undefined ? { done: true, value: undefined } : values.next()
    },
    async return() {
      isEnded = true
      await opened?.return?.()
      return { done: true, value: undefined }
    },
  }
}
