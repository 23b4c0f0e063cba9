import type { LockMode } from './webidl.js'

/** Only this module can make locks: for everybody else the constructor is an illegal one. */
const KEY = Symbol('Lock')

/** A new `Lock` object. */
export let makeLock: (name: string, mode: LockMode) => Lock

/**
 * Interface `Lock` of the Web Locks API: what the callback of a request is given. It names the lock and its mode and does
 * nothing else; the lock is released when the callback's promise settles.
 */
export class Lock {
  readonly #name: string
  readonly #mode: LockMode

  private constructor(key: unknown = undefined, name = '', mode: LockMode = 'exclusive') {
    if (key !== KEY) throw new TypeError('Illegal constructor')
    this.#name = name
    this.#mode = mode
  }

  get name(): string {
    return this.#name
  }

  get mode(): LockMode {
    return this.#mode
  }

  static {
    makeLock = (name, mode) => new Lock(KEY, name, mode)
    Object.defineProperties(Lock.prototype, {
      name: { enumerable: true },
      mode: { enumerable: true },
      [Symbol.toStringTag]: { value: 'Lock', configurable: true }
    })
  }
}
