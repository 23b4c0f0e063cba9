import { ForelockError } from './forelock-error.js'

/**
 * `ERR_FORELOCK_VERSION`: the arena was made with another layout, in another time namespace, or another copy of the package in
 * this environment cannot share it. `stored` and `given` say which. Never resolved by a second arena of the same name.
 */
export class VersionError extends ForelockError<{ option: string; stored: unknown; given: unknown }> {
  readonly code = 'ERR_FORELOCK_VERSION'

  get option(): string {
    return this.facts.option
  }

  get stored(): unknown {
    return this.facts.stored
  }

  get given(): unknown {
    return this.facts.given
  }
}
