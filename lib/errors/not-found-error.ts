import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_NOT_FOUND`: there is no arena of that handle or name, or nothing to meter: no such process, no such cgroup; or no history in that file or folder. A private arena goes when its last user closes it. */
export class NotFoundError extends ForelockError<{ resource: string }> {
  readonly code = 'ERR_FORELOCK_NOT_FOUND'

  /** The handle or name, or pid, or cgroup. */
  get resource(): string {
    return this.facts.resource
  }
}
