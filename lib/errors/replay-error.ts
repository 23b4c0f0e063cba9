import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_REPLAY`: a message of this id was accepted before. */
export class ReplayError extends ForelockError<{ id: string }> {
  readonly code = 'ERR_FORELOCK_REPLAY'

  get id(): string {
    return this.facts.id
  }
}
