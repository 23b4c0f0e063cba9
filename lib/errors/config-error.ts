import { ForelockError } from './forelock-error.js'

/**
 * `ERR_FORELOCK_CONFIG`: the arena, or what is in it or runs, exists with another value of an option. The first opener's options
 * stand; `update: true` overwrites the tunable ones (`tiers`, `ageing`, `claimWithin`).
 */
export class ConfigError extends ForelockError<{ option: string; stored: unknown; given: unknown }> {
  readonly code = 'ERR_FORELOCK_CONFIG'

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
