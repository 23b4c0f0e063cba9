import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_BUSY`: a setting could not be changed because another thread stays inside the thing; nothing was done, try again. */
export class BusyError extends ForelockError<{ resource: string }> {
  readonly code = 'ERR_FORELOCK_BUSY'

  get resource(): string {
    return this.facts.resource
  }
}
