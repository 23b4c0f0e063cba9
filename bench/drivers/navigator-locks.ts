import { type Connect, nothing, type Operation } from './driver.js'

interface LockManager {
  request(name: string, fn: (lock: object | null) => void): Promise<void>
  request(name: string, options: { ifAvailable: true }, fn: (lock: object | null) => void): Promise<void>
}

export const connect: Connect = async () => {
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
  if (locks === undefined) throw new Error(`node ${process.version} has no navigator.locks`)

  const requestPairs: Operation = async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await locks.request('bench', nothing)
      done++
    }
    return done
  }

  return {
    async tryPairs(n) {
      let done = 0
      const count = (lock: object | null) => {
        if (lock !== null) done++
      }
      for (let i = 0; i < n; i++) await locks.request('bench', { ifAvailable: true }, count)
      return done
    },
    awaitPairs: requestPairs,
    requestPairs,
    close() {}
  }
}
