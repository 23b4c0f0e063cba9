/** The name of the lock that all members share. */
export const LOCK = 'the one lock'

/** What a member is started with. */
export interface Work {
  readonly arena: string
  readonly tier: string
  readonly rounds: number
  /** the round in which it keeps the lock until it is killed */
  readonly diesInRound?: number
}

/** A member has the lock. The time is in ns on the clock of the arena, which is one for all processes. */
export interface Granted {
  readonly kind: 'granted'
  readonly at: number
  readonly token: bigint
  readonly ownerDied: boolean
}

/** What a member tells of itself. */
export type Told = { readonly kind: 'waiting' } | Granted | { readonly kind: 'done' }
