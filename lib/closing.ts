import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** setTimeout can wait no longer than this; a longer drain ends with the last grant. */
const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * Closes a session: nothing new is let in; what waits or is held has `drain` ms to end by itself; then what still waits is
 * rejected, the signals of what is still held abort, and the arena is left.
 */
export async function closeSession(session: Session, drain: number): Promise<void> {
  session.open = false
  if (drain > 0) await idle(session, drain)
  session.progress = undefined
  for (const waiter of session.waiting.waitersOf(session)) waiter.close()
  for (const watcher of session.waiting.watchersOf(session)) watcher.close()
  session.leave()
}

/** Resolves when nothing waits and nothing is held, or after the time on the arena's clock. */
function idle(session: Session, drain: number): Promise<void> {
  return new Promise(resolve => {
    const stop = session.binding.virtual ? afterVirtual(session, drain, done) : afterReal(drain, done)
    session.progress = () => {
      if (session.held === 0 && session.queued === 0) done()
    }
    session.progress()
    function done() {
      stop()
      resolve()
    }
  })
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
