import { type Connect, nothing, type Operation } from './driver.js'

interface Bulkhead {
  execute(fn: () => void): Promise<void>
}

export const connect: Connect = async () => {
  const { bulkhead } = (await import('cockatiel' as string)) as { bulkhead: (limit: number) => Bulkhead }
  const policy = bulkhead(1)
  const pairs: Operation = async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await policy.execute(nothing)
      done++
    }
    return done
  }
  // Without queue slots a call is a try, and it is the one call there is: both trials measure it.
  return { tryPairs: pairs, awaitPairs: pairs, close() {} }
}
