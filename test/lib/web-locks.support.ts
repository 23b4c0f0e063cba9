import type { LockManager, LockOptions } from '../../lib/web-locks.js'

let names = 0

/** A lock name that no other test uses. */
export function uniqueName(): string {
  return `web-locks ${process.pid} ${++names}`
}

/** What a promise is rejected with; a promise that is fulfilled fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('the promise was fulfilled')
}

export interface Held {
  /** lets the callback's promise resolve with a value */
  release(value?: unknown): void
  /** lets it reject */
  fail(error: unknown): void
  /** what request() returned */
  readonly result: Promise<unknown>
}

/** Requests a lock and waits until its callback runs; the lock is held until `release` or `fail` is called. */
export async function hold(locks: LockManager, name: string, options: LockOptions = {}): Promise<Held> {
  let release!: (value: unknown) => void
  let fail!: (error: unknown) => void
  const end = new Promise((resolve, reject) => {
    release = resolve
    fail = reject
  })
  let result!: Promise<unknown>
  await new Promise<void>((granted, refused) => {
    result = locks.request(name, options, () => {
      granted()
      return end
    })
    result.catch(refused)
  })
  return { release, fail, result }
}

/** The held locks and pending requests of one name. */
export async function stateOf(locks: LockManager, name: string) {
  const { held, pending } = await locks.query()
  return { held: held.filter(info => info.name === name), pending: pending.filter(info => info.name === name) }
}

/** The next turn of the event loop: all that needs microtasks only has run by then. */
export function macrotask(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
