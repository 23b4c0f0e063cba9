import { type Connect, Countdown, type Operation } from './driver.js'

interface Sema {
  tryAcquire(): unknown
  acquire(): Promise<unknown>
  release(): void
}

export const connect: Connect = async () => {
  const { Sema } = (await import('async-sema' as string)) as { Sema: new (tokens: number) => Sema }
  const sema = new Sema(1)

  // It has no priorities: in the trial with tiers it shows what a queue without them costs.
  const waiters: Operation = async n => {
    if (sema.tryAcquire() === undefined) throw new Error('the semaphore is not free')
    const countdown = new Countdown(n)
    const serve = () => {
      sema.release()
      countdown.done()
    }
    for (let i = 0; i < n; i++) sema.acquire().then(serve, countdown.fail)
    sema.release()
    await countdown.over
    return n
  }

  return {
    tryPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        if (sema.tryAcquire() === undefined) continue
        sema.release()
        done++
      }
      return done
    },
    async awaitPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        await sema.acquire()
        sema.release()
        done++
      }
      return done
    },
    waiters,
    tieredWaiters: waiters,
    close() {}
  }
}
