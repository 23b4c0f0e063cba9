/** Every code that an error of forelock can carry. Codes are stable: they change only with the major version. */
export type ForelockErrorCode =
  | 'ERR_FORELOCK_ACCESS'
  | 'ERR_FORELOCK_ARGUMENT'
  | 'ERR_FORELOCK_BUSY'
  | 'ERR_FORELOCK_CAPACITY'
  | 'ERR_FORELOCK_CLOSED'
  | 'ERR_FORELOCK_CONFIG'
  | 'ERR_FORELOCK_CORRUPT'
  | 'ERR_FORELOCK_DEADLOCK'
  | 'ERR_FORELOCK_EXCEEDS'
  | 'ERR_FORELOCK_FORKED'
  | 'ERR_FORELOCK_FULL'
  | 'ERR_FORELOCK_IN_USE'
  | 'ERR_FORELOCK_LOAD'
  | 'ERR_FORELOCK_MEMORY'
  | 'ERR_FORELOCK_NAME'
  | 'ERR_FORELOCK_NOT_FOUND'
  | 'ERR_FORELOCK_OWNER'
  | 'ERR_FORELOCK_RECALLED'
  | 'ERR_FORELOCK_REPLAY'
  | 'ERR_FORELOCK_RETIRED'
  | 'ERR_FORELOCK_SCHEMA'
  | 'ERR_FORELOCK_SIGNATURE'
  | 'ERR_FORELOCK_STOLEN'
  | 'ERR_FORELOCK_TIMEOUT'
  | 'ERR_FORELOCK_TRACE'
  | 'ERR_FORELOCK_TTL'
  | 'ERR_FORELOCK_UNDER_ALLOCATED'
  | 'ERR_FORELOCK_UNSUPPORTED'
  | 'ERR_FORELOCK_VERSION'

/** The marker that {@link isForelockError} looks for: registered, so that it is one for all copies of the package. */
export const marker: unique symbol = Symbol.for('forelock.error')

/**
 * Base of all errors of forelock: a stable `code`, the underlying `cause` if there is one, and the `facts` by name.
 * Subclasses offer their facts as properties of their own too.
 */
export abstract class ForelockError<Facts extends object = object> extends Error {
  abstract readonly code: ForelockErrorCode
  readonly facts: Readonly<Facts>

  constructor(message: string, facts: Facts, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.facts = facts
  }

  get [marker](): true {
    return true
  }

  static {
    // On the prototype, as the built-in errors have it, so that it shows in the stack but is no property of each error.
    Object.defineProperty(ForelockError.prototype, 'name', { get: className, configurable: true })
  }
}

function className(this: object): string {
  return this.constructor.name
}
