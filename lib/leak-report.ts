/** A grant that was garbage-collected while it held its lock. The lock stays held until its process or thread ends. */
export interface LeakReport {
  readonly resource: string
  readonly token: bigint
  readonly mode: 'exclusive' | 'shared'
  readonly tier: string
}
