import { isHeld } from '../is-held.js'
import type { Session } from '../session.js'
import { type Running, runningOf } from './running.js'
import { noteRunning } from './running-note.js'

/** Whoever follows the runs of an arena holds this lock of it, shared; it ends with its process. */
export const FOLLOWER_LOCK = 'forelock:replica'
/** ms between two looks whether anybody does; and after so long every run that goes on is told of again, for those who came later. */
export const TELL_EVERY_MS = 1_000
/** ms by which what changed in a run is told later, so that many changes are one note. */
const TELL_AFTER_MS = 50

const all = new WeakMap<Session, Announcer>()

/** One for a governor. */
export function announcerOf(session: Session): Announcer {
  let announcer = all.get(session)
  if (announcer === undefined) {
    announcer = new Announcer(session)
    all.set(session, announcer)
  }
  return announcer
}

/**
 * Tells of the runs of a governor as they go on, while anybody follows them. What is told is the state of a run, not what changed: a note that was
 * lost, or came before who reads them, is made good by the next.
 */
export class Announcer {
  readonly #session: Session
  readonly #running: Set<Running>
  readonly #changed = new Set<Running>()
  #isFollowed = false
  #looking: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined

  constructor(session: Session) {
    this.#session = session
    this.#running = runningOf(session)
    session.leaving.push(() => this.#stop())
  }

  began(run: Running): void {
    if (this.#looking === undefined) this.#begin()
    this.changed(run)
  }

  changed(run: Running): void {
    if (!this.#isFollowed) return
    this.#changed.add(run)
    this.#telling ??= setTimeout(() => this.#tell(), TELL_AFTER_MS).unref()
  }

  /** It is over, which it tells by itself. What it held is told before. */
  ended(run: Running): void {
    this.#changed.delete(run)
    if (this.#isFollowed && this.#session.joined && run.heldSpans().length > 0) noteRunning(this.#session, run)
  }

  #begin(): void {
    if (!this.#session.open) return
    this.#looking = setInterval(() => this.#look(), TELL_EVERY_MS).unref()
    this.#look()
  }

  #look(): void {
    if (this.#running.size === 0) {
      this.#stop()
      return
    }
    this.#isFollowed = isHeld(this.#session, FOLLOWER_LOCK)
    if (!this.#isFollowed) return
    for (const run of this.#running) this.#changed.add(run)
    this.#tell()
  }

  #tell(): void {
    clearTimeout(this.#telling)
    this.#telling = undefined
    if (!this.#session.joined) return
    for (const run of this.#changed) noteRunning(this.#session, run)
    this.#changed.clear()
  }

  #stop(): void {
    clearInterval(this.#looking)
    clearTimeout(this.#telling)
    this.#looking = undefined
    this.#telling = undefined
    this.#isFollowed = false
    this.#changed.clear()
  }
}
