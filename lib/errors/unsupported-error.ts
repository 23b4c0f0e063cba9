import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_UNSUPPORTED`: the kernel or the file system lacks what an arena needs; the message names it. */
export class UnsupportedError extends ForelockError {
  readonly code = 'ERR_FORELOCK_UNSUPPORTED'
}
