import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_IN_USE`: `unlink` found living participants. `force: true` removes the arena all the same. */
export class InUseError extends ForelockError {
  readonly code = 'ERR_FORELOCK_IN_USE'
}
