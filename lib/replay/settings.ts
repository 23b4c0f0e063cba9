// What an arena has where nobody says otherwise: docs/guides/defaults.md.

export const DEFAULT_TIERS: readonly string[] = ['background', 'standard', 'interactive', 'critical']
export const AGEING_MS = 30_000
/** Part of the time, or of the things, in which a guard lets nothing be planned. */
export const CONTROL = 0.02
/** ms for which the score of a lock is meant. */
export const WITHIN_MS = 500
