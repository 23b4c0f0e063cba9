import type { Connect } from './driver.js'

export interface Bottleneck {
  schedule<T>(options: { weight: number }, fn: () => Promise<T>): Promise<T>
}

export const load = async () =>
  ((await import('bottleneck' as string)) as { default: new (options: { maxConcurrent: number }) => Bottleneck }).default

/** A weight is one number: of the three dimensions it has the first. */
export const connect: Connect = async () => {
  const Bottleneck = await load()
  const limiter = new Bottleneck({ maxConcurrent: 1000 })
  const job = async () => {}
  return {
    async units(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        await limiter.schedule({ weight: 100 }, job)
        done++
      }
      return done
    },
    close() {}
  }
}
