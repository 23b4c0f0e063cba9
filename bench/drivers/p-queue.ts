import { type Connect, Countdown, nothing, type Operation } from './driver.js'

interface Queue {
  add(fn: () => unknown, options?: { priority?: number; signal?: AbortSignal }): Promise<unknown>
}

export const connect: Connect = async () => {
  const PQueue = ((await import('p-queue' as string)) as { default: new (options: { concurrency: number }) => Queue }).default
  const queue = new PQueue({ concurrency: 1 })

  const pairs: Operation = async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await queue.add(nothing)
      done++
    }
    return done
  }

  async function queueBehind(n: number, request: (i: number) => Promise<unknown>, queued: () => void, aborts: number): Promise<number> {
    let letGo = nothing
    const holder = queue.add(() => new Promise<void>(resolve => (letGo = resolve)))
    const countdown = new Countdown(n)
    let aborted = 0
    const serve = () => countdown.done()
    const giveUp = (reason: unknown) => {
      if (aborted++ >= aborts) countdown.fail(reason)
      else countdown.done()
    }
    for (let i = 0; i < n; i++) request(i).then(serve, giveUp)
    queued()
    letGo()
    await holder
    await countdown.over
    return n
  }

  return {
    // There is no way to try: both trials measure the one call there is.
    tryPairs: pairs,
    awaitPairs: pairs,
    waiters: n => queueBehind(n, () => queue.add(nothing), nothing, 0),
    tieredWaiters: n => queueBehind(n, i => queue.add(nothing, { priority: i & 3 }), nothing, 0),
    queue(n) {
      const middle = n >> 1
      const abort = new AbortController()
      const request = (i: number) => queue.add(nothing, i === middle ? { signal: abort.signal } : undefined)
      return queueBehind(n, request, () => abort.abort(), 1)
    },
    close() {}
  }
}
