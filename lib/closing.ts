import type { Session } from './session.js'
import { after } from './timer.js'

/**
 * Closes a session: nothing new is let in; what waits or is held has `drain` ms to end by itself; then what still waits is
 * rejected, the signals of what is still held abort, and the arena is left.
 */
export async function closeSession(session: Session, drain: number): Promise<void> {
  session.open = false
  if (drain > 0) await idle(session, drain)
  session.progress = undefined
  rejectWaits(session)
  for (const watcher of session.waiting.watchersOf(session)) watcher.close()
  let ending: (void | Promise<void>)[] = []
  try {
    ending = session.leaving.map(end => end())
  } finally {
    session.leave()
  }
  await Promise.all(ending)
}

/** What the end of one wait grants another goes back when all have ended: at once it would go to the next of them, each inside of the one before. */
function rejectWaits(session: Session): void {
  const givingBack: (() => void)[] = []
  session.givingBack = givingBack
  for (const waiter of session.waiting.waitersOf(session)) waiter.close()
  for (const giveBack of givingBack) giveBack()
  session.givingBack = undefined
}

/** Resolves when nothing waits and nothing is held, or after the time on the arena's clock. */
function idle(session: Session, drain: number): Promise<void> {
  return new Promise(resolve => {
    const stop = after(session, drain, done, true)
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
