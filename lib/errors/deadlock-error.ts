import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_DEADLOCK`: this wait would have closed a cycle of waits, and was its youngest. `cycle` names its locks and owners. */
export class DeadlockError extends ForelockError<{ resource: string; waitedMs: number; cycle: string }> {
  readonly code = 'ERR_FORELOCK_DEADLOCK'

  get resource(): string {
    return this.facts.resource
  }

  /** Milliseconds from the request to the refusal. */
  get waitedMs(): number {
    return this.facts.waitedMs
  }

  get cycle(): string {
    return this.facts.cycle
  }
}
