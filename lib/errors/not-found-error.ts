import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_NOT_FOUND`: there is no arena of that handle or name. A private one goes when its last user closes it. */
export class NotFoundError extends ForelockError<{ resource: string }> {
  readonly code = 'ERR_FORELOCK_NOT_FOUND'

  /** The handle or name. */
  get resource(): string {
    return this.facts.resource
  }
}
