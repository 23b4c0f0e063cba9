import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_MEMORY`: the memory behind the arena could not be had (tmpfs full, or the cgroup's limit reached). Nothing was lost. */
export class MemoryError extends ForelockError {
  readonly code = 'ERR_FORELOCK_MEMORY'
}
