import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_RECALLED`: a revocable allocation was asked for, and its grace is over: end the work and release it. */
export class RecalledError extends ForelockError<{ resource: string }> {
  readonly code = 'ERR_FORELOCK_RECALLED'

  get resource(): string {
    return this.facts.resource
  }
}
