import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_OWNER`: the arena's file is a link, belongs to another user, or may be written by others. It was not touched. */
export class OwnerError extends ForelockError {
  readonly code = 'ERR_FORELOCK_OWNER'
}
