import { type Connect, nothing, type Operation } from './driver.js'

type Limit = (fn: () => void) => Promise<void>

export const connect: Connect = async () => {
  const pLimit = ((await import('p-limit' as string)) as { default: (concurrency: number) => Limit }).default
  const limit = pLimit(1)
  const pairs: Operation = async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await limit(nothing)
      done++
    }
    return done
  }
  // There is no way to try: both trials measure the one call there is.
  return { tryPairs: pairs, awaitPairs: pairs, close() {} }
}
