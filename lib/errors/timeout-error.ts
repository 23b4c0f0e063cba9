import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_TIMEOUT`: the request was not granted within its `waitTimeout`. */
export class TimeoutError extends ForelockError<{ resource: string; waitedMs: number }> {
  readonly code = 'ERR_FORELOCK_TIMEOUT'

  get resource(): string {
    return this.facts.resource
  }

  /** Milliseconds on the arena's clock from the request to the refusal. */
  get waitedMs(): number {
    return this.facts.waitedMs
  }
}
