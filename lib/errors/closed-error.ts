import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_CLOSED`: the governor, or the meter, is closed or closing, or the run is over. Waiting requests are rejected with it, `grant.signal` aborts with it. */
export class ClosedError extends ForelockError<{ resource: string | undefined }> {
  readonly code = 'ERR_FORELOCK_CLOSED'

  /** The lock that was waited for or held; undefined when the governor itself was called. */
  get resource(): string | undefined {
    return this.facts.resource
  }
}
