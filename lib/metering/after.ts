import { refuse } from '../checks.js'

/** Calls back once, after so many ms, without keeping the process alive; what it returns prevents that. Tests give one of their own. */
export type After = (ms: number, then: () => void) => () => void

const TIMER_MAX_MS = 2 ** 31 - 1

export const afterReal: After = (ms, then) => {
  const timer = setTimeout(then, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/** Milliseconds between two of something. */
export function interval(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 1 && value <= TIMER_MAX_MS)) {
    throw refuse(option, `a number of milliseconds from 1 to ${TIMER_MAX_MS}`, value)
  }
  return value
}
