/**
 * %Promise% of this realm and its functions as they are when the module is loaded: what Web IDL wants, whatever a script does to
 * the global and its prototype later.
 */
export const RealmPromise = Promise

export const { then } = RealmPromise.prototype

/** A promise that is fulfilled: a reaction to it runs in the next microtask. */
export const READY: Promise<void> = RealmPromise.resolve()

const { resolve, reject } = RealmPromise

/**
 * The promise of a callback's result, as `await` makes it: a promise of this realm is its own.
 *
 * @throws what a getter of the result throws
 */
export function resolved(value: unknown): Promise<unknown> {
  return resolve.call(RealmPromise, value)
}

export function rejected(reason: unknown): Promise<never> {
  return reject.call(RealmPromise, reason) as Promise<never>
}
