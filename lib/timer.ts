import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** setTimeout can wait no longer than this; what is later never comes. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** Calls back after so many ms on the arena's clock, which may be the virtual one; what it returns prevents that. */
export function after(session: Session, ms: number, then: () => void): () => void {
  return session.binding.virtual ? afterVirtual(session, ms, then) : afterReal(ms, then)
}

function afterReal(ms: number, then: () => void): () => void {
  if (ms > TIMER_MAX_MS) return () => {}
  const timer = setTimeout(then, ms)
  return () => clearTimeout(timer)
}

function afterVirtual(session: Session, ms: number, then: () => void): () => void {
  const { binding, waiting } = session
  const end = binding.now() + ms * NS_PER_MS
  const moved = () => {
    if (binding.now() >= end) then()
  }
  waiting.onAdvance.add(moved)
  return () => waiting.onAdvance.delete(moved)
}
