import { ForelockError } from './forelock-error.js'

/**
 * Why a message is not believed: a header is missing, or is not of its form; no secret gives this signature; it was signed too long ago, or
 * in the future.
 */
export type SignatureFault = 'missing' | 'malformed' | 'mismatch' | 'timestamp'

/** `ERR_FORELOCK_SIGNATURE`: a message from outside is not signed as it has to be. Nothing of it was read. */
export class SignatureError extends ForelockError<{ reason: SignatureFault }> {
  readonly code = 'ERR_FORELOCK_SIGNATURE'

  get reason(): SignatureFault {
    return this.facts.reason
  }
}
