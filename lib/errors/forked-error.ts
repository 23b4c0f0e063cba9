import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_FORKED`: called in a child made by fork without exec. Only the parent takes part in the arena; open again after exec. */
export class ForkedError extends ForelockError {
  readonly code = 'ERR_FORELOCK_FORKED'
}
