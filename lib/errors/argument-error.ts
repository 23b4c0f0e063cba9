import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_ARGUMENT`: an argument or option has the wrong type or value. `option` names it, `given` is what it was. */
export class ArgumentError extends ForelockError<{ option: string; given: unknown }> {
  readonly code = 'ERR_FORELOCK_ARGUMENT'

  get option(): string {
    return this.facts.option
  }

  get given(): unknown {
    return this.facts.given
  }
}
