import { isForelockError } from '../errors/index.js'

/** The reason for which the specification refuses a combination of arguments. */
export function notSupported(message: string): DOMException {
  return new DOMException(message, 'NotSupportedError')
}

/** What a request is rejected with that lost its lock while its callback ran. `cause` says how: StolenError or ClosedError. */
export function broken(cause: unknown): DOMException {
  return exception('The operation was aborted', 'AbortError', cause)
}

/**
 * What a request is rejected with that was never granted. A closed governor is to its locks what a document that is not fully active is
 * to those of a page, hence the InvalidStateError; other errors of forelock, which the specification knows nothing of,
 * stay what they are.
 */
export function ungranted(error: unknown): unknown {
  return isForelockError(error, 'ERR_FORELOCK_CLOSED') ? exception(error.message, 'InvalidStateError', error) : error
}

// Node's DOMException takes a cause, which its types and the standard do not know yet.
function exception(message: string, name: string, cause: unknown): DOMException {
  return new DOMException(message, { name, cause } as unknown as string)
}
