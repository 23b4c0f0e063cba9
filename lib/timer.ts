import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** setTimeout can wait no longer than this; what is later never comes. */
const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * Calls back once, after so many ms on the arena's clock, which may be the virtual one; what it returns prevents that.
 *
 * @param keepsAlive whether the process goes on for it
 */
export function after(session: Session, ms: number, then: () => void, keepsAlive: boolean): () => void {
  return session.binding.virtual ? afterVirtual(session, ms, then) : afterReal(ms, then, keepsAlive)
}

function afterReal(ms: number, then: () => void, keepsAlive: boolean): () => void {
  if (ms > TIMER_MAX_MS) return () => {}
  const timer = setTimeout(then, ms)
  if (!keepsAlive) timer.unref()
  return () => clearTimeout(timer)
}

function afterVirtual(session: Session, ms: number, then: () => void): () => void {
  const { binding, waiting } = session
  const end = binding.now() + ms * NS_PER_MS
  const stop = () => waiting.onAdvance.delete(moved)
  const moved = () => {
    if (binding.now() < end) return
    stop()
    then()
  }
  waiting.onAdvance.add(moved)
  return stop
}
