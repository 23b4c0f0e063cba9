import type { Connect } from './driver.js'

export interface Bottleneck {
  schedule<T>(options: { weight: number }, fn: () => Promise<T>): Promise<T>
}

export const load = async () =>
  ((await import('bottleneck' as string)) as { default: new (options: { maxConcurrent: number }) => Bottleneck }).default

/**
 * A weight is one number: of the three dimensions it has the first. A job goes through several timers, one after the other with those
 * of other jobs, which makes milliseconds of it whether many are scheduled at once, as here, or one by one.
 */
export const connect: Connect = async () => {
  const Bottleneck = await load()
  const limiter = new Bottleneck({ maxConcurrent: 1000 })
  return {
    async units(n) {
      let done = 0
      const job = async () => {
        done++
      }
      await Promise.all(Array.from({ length: n }, () => limiter.schedule({ weight: 100 }, job)))
      return done
    },
    close() {}
  }
}
