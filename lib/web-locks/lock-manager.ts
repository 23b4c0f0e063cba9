import type { Session } from '../session.js'
import { ungranted } from './exceptions.js'
import type { Lock } from './lock.js'
import { rejected } from './realm-promise.js'
import { Requests } from './requests.js'
import { type LockManagerSnapshot, toSnapshot } from './snapshot.js'
import { type LockOptions, toCallback, toDOMString, toLockOptions } from './webidl.js'

/** Only this module can make lock managers: for everybody else the constructor is an illegal one. */
const KEY = Symbol('LockManager')

/** The lock manager of a governor. */
export let makeLockManager: (session: Session) => LockManager

/**
 * Interface `LockManager` of the Web Locks API, https://w3c.github.io/web-locks/, for all threads and processes that open the
 * arena. Its locks are those of `gov.lock()`.
 */
export class LockManager {
  readonly #session: Session
  readonly #requests: Requests

  private constructor(key: unknown = undefined, session: Session | undefined = undefined) {
    if (key !== KEY || session === undefined) throw new TypeError('Illegal constructor')
    this.#session = session
    this.#requests = new Requests(session)
  }

  /**
   * Requests a lock and calls back with it when it is granted. The lock is held until what the callback returns has settled.
   *
   * @returns what the callback returns, after the release. Rejected with what it throws; with `signal.reason`; with a DOMException:
   *   NotSupportedError for a name that starts with `-` or options that exclude each other, AbortError when the lock was stolen,
   *   InvalidStateError when the governor is closed; with a TypeError for other arguments of the wrong type; or with
   *   a CapacityError, MemoryError, NameError, CorruptError or RetiredError of the arena
   */
  request<T>(name: string, callback: (lock: Lock) => T): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions & { ifAvailable?: false | undefined }, callback: (lock: Lock) => T): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: (lock: Lock | null) => T): Promise<Awaited<T>>
  request(name: unknown, second: unknown, ...rest: unknown[]): Promise<unknown> {
    try {
      const requests = this.#requests
      // biome-ignore lint/complexity/noArguments: Web IDL chooses between overloads by the number of arguments, undefined ones too
      const given = arguments.length
      if (given < 2) throw new TypeError(`LockManager.request needs 2 arguments at least, not ${given}`)
      const text = toDOMString(name)
      const options = toLockOptions(given === 2 ? undefined : second)
      return requests.request(text, options, toCallback(given === 2 ? second : rest[0]))
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * A snapshot of the locks that are held and the requests that wait, in this and all other environments of the arena.
   *
   * @returns rejected with an InvalidStateError when the governor is closed, or a CorruptError or RetiredError of the arena
   */
  async query(): Promise<LockManagerSnapshot> {
    const session = this.#session
    try {
      session.mustBeOpen()
      return toSnapshot(session.snapshot())
    } catch (error) {
      throw ungranted(error)
    }
  }

  static {
    makeLockManager = session => new LockManager(KEY, session)
    Object.defineProperties(LockManager.prototype, {
      request: { enumerable: true },
      query: { enumerable: true },
      [Symbol.toStringTag]: { value: 'LockManager', configurable: true }
    })
  }
}
