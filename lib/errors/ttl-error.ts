import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_TTL`: reason of `grant.signal` when the lock was held for longer than its `ttl` and has passed on. */
export class TtlError extends ForelockError<{ resource: string; token: bigint }> {
  readonly code = 'ERR_FORELOCK_TTL'

  get resource(): string {
    return this.facts.resource
  }

  /** The fencing token of the grant that was lost. */
  get token(): bigint {
    return this.facts.token
  }
}
