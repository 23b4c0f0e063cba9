import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_NAME`: a name of an arena or of a lock cannot be used, for example because it is too long. */
export class NameError extends ForelockError<{ resource: string }> {
  readonly code = 'ERR_FORELOCK_NAME'

  /** The name, cut at 100 characters. */
  get resource(): string {
    return this.facts.resource
  }
}
