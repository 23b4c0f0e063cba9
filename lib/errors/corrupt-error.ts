import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_CORRUPT`: the arena holds what no version of forelock writes; its file was damaged. Close, unlink and open anew. */
export class CorruptError extends ForelockError {
  readonly code = 'ERR_FORELOCK_CORRUPT'
}
