import { ForelockError } from './forelock-error.js'

/** One way that was tried to load the addon, and why it failed. */
export interface LoadAttempt {
  readonly from: string
  readonly error: unknown
}

/** `ERR_FORELOCK_LOAD`: the native addon, or an optional package, could not be loaded. The message lists the attempts and what may help. */
export class LoadError extends ForelockError<{ attempts: readonly LoadAttempt[]; remedies: readonly string[] }> {
  readonly code = 'ERR_FORELOCK_LOAD'

  get attempts(): readonly LoadAttempt[] {
    return this.facts.attempts
  }

  get remedies(): readonly string[] {
    return this.facts.remedies
  }
}
