import { ForelockError } from './forelock-error.js'

/**
 * `ERR_FORELOCK_CAPACITY`: a table of the arena is full. `option` is what to raise in `open({ capacity })`, `limit` its
 * present value. Nothing was lost: whatever was held or queued still is.
 */
export class CapacityError extends ForelockError<{ option: string; limit: number }> {
  readonly code = 'ERR_FORELOCK_CAPACITY'

  get option(): string {
    return this.facts.option
  }

  get limit(): number {
    return this.facts.limit
  }
}
