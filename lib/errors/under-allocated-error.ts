import { ForelockError } from './forelock-error.js'

/**
 * `ERR_FORELOCK_UNDER_ALLOCATED`: work needed more than it was granted. Made by {@link Run.exceeded} and thrown by the work; then the run is done again
 * with twice as much, and rejected with this only if there is no more to be had, or after the last try.
 */
export class UnderAllocatedError extends ForelockError<{
  resource: string
  workflow: string
  granted: Readonly<Record<string, number>>
  used: Readonly<Record<string, number>>
}> {
  readonly code = 'ERR_FORELOCK_UNDER_ALLOCATED'

  /** The name of the pool. */
  get resource(): string {
    return this.facts.resource
  }

  get workflow(): string {
    return this.facts.workflow
  }

  /** What it held, by dimension. */
  get granted(): Readonly<Record<string, number>> {
    return this.facts.granted
  }

  /** What it is known to have needed at least. */
  get used(): Readonly<Record<string, number>> {
    return this.facts.used
  }
}
