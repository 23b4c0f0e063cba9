import { load as loadBottleneck } from './bottleneck.js'
import type { Connect, Operation } from './driver.js'

interface Mutex {
  acquire(): Promise<() => void>
}

interface Limiter {
  consume(key: string): Promise<object>
}

interface Limiters {
  RateLimiterMemory: new (options: { points: number; duration: number; keyPrefix: string }) => Limiter
}

/** bottleneck for the units, rate-limiter-flexible for the tokens, async-mutex for the lock, one in the other; not all or nothing. */
export const connect: Connect = async () => {
  const Bottleneck = await loadBottleneck()
  const { Mutex } = (await import('async-mutex' as string)) as { Mutex: new () => Mutex }
  const { RateLimiterMemory } = ((await import('rate-limiter-flexible' as string)) as { default: Limiters }).default
  const units = new Bottleneck({ maxConcurrent: 1000 })
  const limiter = () => new RateLimiterMemory({ points: 1e12, duration: 3600, keyPrefix: '' })
  const [first, second] = [limiter(), limiter()]
  const mutex = new Mutex()
  let done = 0
  const job = async () => {
    await first.consume('bench')
    await second.consume('bench')
    done++
  }
  const together: Operation = async n => {
    done = 0
    for (let i = 0; i < n; i++) {
      const release = await mutex.acquire()
      await units.schedule({ weight: 100 }, job)
      release()
    }
    return done
  }
  return { together, awaitTogether: together, close() {} }
}
