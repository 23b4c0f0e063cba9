import { ForelockError } from './forelock-error.js'

/** `ERR_FORELOCK_ACCESS`: the role may not do that, by the policy that the history was opened with. What was refused is in the audit. */
export class AccessError extends ForelockError<{ role: string; action: string; subject: string | undefined }> {
  readonly code = 'ERR_FORELOCK_ACCESS'

  get role(): string {
    return this.facts.role
  }

  get action(): string {
    return this.facts.action
  }

  get subject(): string | undefined {
    return this.facts.subject
  }
}
