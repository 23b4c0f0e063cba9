import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_SCHEMA`: what came from outside is signed, but is not what it has to be. `field` names the part, `given` is what it was. */
export class SchemaError extends ForelockError<{ field: string; given: unknown }> {
  readonly code = 'ERR_FORELOCK_SCHEMA'

  get field(): string {
    return this.facts.field
  }

  get given(): unknown {
    return this.facts.given
  }
}
