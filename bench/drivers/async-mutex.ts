import { type Connect, Countdown, type Operation } from './driver.js'

type Release = () => void

interface Mutex {
  isLocked(): boolean
  acquire(priority?: number): Promise<Release>
}

interface Semaphore {
  getValue(): number
  acquire(weight: number): Promise<[number, Release]>
}

/** A semaphore for each of three dimensions, one after the other. */
export const semaphore: Connect = async () => {
  const { Semaphore } = (await import('async-mutex' as string)) as { Semaphore: new (value: number) => Semaphore }
  const [first, second, third] = [new Semaphore(1000), new Semaphore(64), new Semaphore(100)]
  return {
    async units(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const [, one] = await first.acquire(100)
        const [, two] = await second.acquire(4)
        const [, three] = await third.acquire(10)
        three()
        two()
        one()
        done++
      }
      return done
    },
    close() {}
  }
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
