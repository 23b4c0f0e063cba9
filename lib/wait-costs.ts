/** What waiting costs a unit and second, by tier from the lowest up: docs/guides/defaults.md. */
export const WAIT_COSTS: readonly number[] = [1, 2, 8, 32]
/** What a unit that nobody has costs a second. */
export const IDLE_COST = 1
