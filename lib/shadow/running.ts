import type { Session } from '../session.js'
import type { Course, HeldSpan, PresentCourse } from './course.js'

/** A run that goes on, as the replica sees it. */
export interface Running {
  readonly id: string
  readonly workflow: string
  readonly tenant: string | undefined
  /** name of its tier */
  readonly tier: string
  /** @internal ms on the arena's clock */
  readonly began: number
  /** @internal */
  present(): PresentCourse
  /** @internal how others of its workflow went */
  courses(): readonly Course[]
  /** @internal what it holds, and held */
  heldSpans(): readonly HeldSpan[]
}

const all = new WeakMap<Session, Set<Running>>()

/** The runs of a governor that were admitted and are not over: who runs adds to it and takes away. */
export function runningOf(session: Session): Set<Running> {
  let running = all.get(session)
  if (running === undefined) {
    running = new Set()
    all.set(session, running)
  }
  return running
}
