import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_TRACE`: a recorded trace says something that cannot be. `file` is where, `line` which (or which record), from 1 on. */
export class TraceError extends ForelockError<{ file: string; line: number }> {
  readonly code = 'ERR_FORELOCK_TRACE'

  get file(): string {
    return this.facts.file
  }

  get line(): number {
    return this.facts.line
  }
}
