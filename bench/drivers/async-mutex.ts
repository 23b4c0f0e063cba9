import { type Connect, Countdown, type Operation } from './driver.js'

type Release = () => void

interface Mutex {
  isLocked(): boolean
  acquire(priority?: number): Promise<Release>
}

export const connect: Connect = async () => {
  const { Mutex } = (await import('async-mutex' as string)) as { Mutex: new () => Mutex }
  const mutex = new Mutex()

  const queueBehind =
    (priorities: number): Operation =>
    async n => {
      const release = await mutex.acquire()
      const countdown = new Countdown(n)
      const serve = (release: Release) => {
        release()
        countdown.done()
      }
      for (let i = 0; i < n; i++) mutex.acquire(i % priorities).then(serve, countdown.fail)
      release()
      await countdown.over
      return n
    }

  return {
    // Half as dear as its own tryAcquire(), which starts a timer.
    async tryPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        if (mutex.isLocked()) continue
        const release = await mutex.acquire()
        release()
        done++
      }
      return done
    },
    async awaitPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const release = await mutex.acquire()
        release()
        done++
      }
      return done
    },
    waiters: queueBehind(1),
    tieredWaiters: queueBehind(4),
    close() {}
  }
}
