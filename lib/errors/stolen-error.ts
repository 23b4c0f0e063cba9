import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_STOLEN`: reason of `grant.signal` when another request stole the lock. */
export class StolenError extends ForelockError<{ resource: string; token: bigint }> {
  readonly code = 'ERR_FORELOCK_STOLEN'

  get resource(): string {
    return this.facts.resource
  }

  /** The fencing token of the grant that was lost. */
  get token(): bigint {
    return this.facts.token
  }
}
