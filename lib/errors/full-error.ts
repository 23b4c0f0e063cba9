import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_FULL`: there was no room for a run at once, and its workflow waits for none (`whenFull: 'reject'`). */
export class FullError extends ForelockError<{
  resource: string
  kind: 'lock' | 'pool' | 'bucket'
  asked: unknown
  waitMs: number | undefined
}> {
  readonly code = 'ERR_FORELOCK_FULL'

  /** The part that refused. */
  get resource(): string {
    return this.facts.resource
  }

  get kind(): 'lock' | 'pool' | 'bucket' {
    return this.facts.kind
  }

  /** What was asked for, of all parts. */
  get asked(): unknown {
    return this.facts.asked
  }

  /** Of a bucket: ms until it would have granted its part. */
  get waitMs(): number | undefined {
    return this.facts.waitMs
  }
}
