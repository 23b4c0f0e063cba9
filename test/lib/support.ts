import * as assert from 'uvu/assert'
import { type ForelockErrorCode, type Governor, isForelockError, type OpenOptions, open } from '../../lib/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what was thrown may be of any type, and tests look at its facts
export type Caught = any

/** A governor of its own on a clock that stands still. */
export function virtual(options: OpenOptions = {}): Governor {
  return open({ clock: 'virtual', autoEnclose: false, ...options })
}

/** What a promise is rejected with; a promise that is fulfilled fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<Caught> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`the promise was fulfilled with ${String(value)}`)
}

/** What a call throws; a call that returns fails the test. */
export function thrown(call: () => unknown): Caught {
  let value: unknown
  try {
    value = call()
  } catch (error) {
    return error
  }
  throw new Error(`the call returned ${String(value)}`)
}

/** Checks that a value is the error of forelock with this code. */
export function isCoded(error: unknown, code: ForelockErrorCode): void {
  assert.ok(isForelockError(error), `not an error of forelock: ${String(error)}`)
  assert.is(error.code, code)
}

/** For then() and catch(): a rejection with this code is expected; any other is an unhandled one, which fails the test. */
export function refusal(code: ForelockErrorCode): (error: unknown) => void {
  return error => isCoded(error, code)
}

/** As {@link refusal}, of what an AbortController without a reason ended. */
export function aborted(error: unknown): void {
  assert.is((error as Error | undefined)?.name, 'AbortError', String(error))
}

/** The next turn of the event loop: all that needs microtasks only has run by then. */
export function macrotask(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Whether a promise has settled by the next turn of the event loop. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = () => {
    settled = true
  }
  promise.then(note, note)
  await macrotask()
  return settled
}
