import { ForelockError } from './forelock-error.js'

/**
 * `ERR_FORELOCK_EXCEEDS`: the request asks for more than the bucket or the pool can ever give: more tokens than a burst, more units than
 * the capacity, the tier's ceiling or the floors of others leave. To wait would be for ever.
 */
export class ExceedsError extends ForelockError<{ resource: string; asked: unknown }> {
  readonly code = 'ERR_FORELOCK_EXCEEDS'

  get resource(): string {
    return this.facts.resource
  }

  get asked(): unknown {
    return this.facts.asked
  }
}
