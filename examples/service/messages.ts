/** Slots for work at a time, in all processes together. */
export const SLOTS = 4
export const PROCESSES = 2

/** Which work there is: who asks for it, in which tier, and how much of it (rounds of PBKDF2). */
export const WORK = {
  people: { tier: 'interactive', rounds: 20_000 },
  jobs: { tier: 'background', rounds: 400_000 }
} as const

export type Kind = keyof typeof WORK

/** What a server answers: ms that the request waited for a slot, and worked. */
export interface Answer {
  readonly waited: number
  readonly worked: number
}
