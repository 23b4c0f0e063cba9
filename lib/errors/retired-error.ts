import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_RETIRED`: the named arena was unlinked while in use. Close this governor and open the name anew. */
export class RetiredError extends ForelockError {
  readonly code = 'ERR_FORELOCK_RETIRED'
}
