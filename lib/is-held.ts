import type { Session } from './session.js'

/** Whether somebody who lives holds a lock of the arena, shared or alone. Takes nothing, and makes nothing. */
export function isHeld(session: Session, lock: string): boolean {
  const [found] = session.binding.snapshot(lock).filter(({ kind }) => kind === 0)
  return found?.holders.some(({ alive }) => alive) ?? false
}
