import type { Session } from '../session.js'

/** Whoever has learnt something of somebody. */
export interface Learner {
  forget(tenant: string): void
}

const all = new WeakMap<Session, Set<WeakRef<Learner>>>()
/** Those that were collected are looked for when there are so many, and then twice as many as are left. */
const FIRST_LOOK = 64
const looks = new WeakMap<Set<unknown>, number>()

/** It is to forget, too, as long as anybody has it. */
export function addLearner(session: Session, learner: Learner): void {
  const learners = all.get(session) ?? new Set()
  all.set(session, learners)
  if (learners.size >= (looks.get(learners) ?? FIRST_LOOK)) {
    for (const one of learners) if (one.deref() === undefined) learners.delete(one)
    looks.set(learners, Math.max(FIRST_LOOK, 2 * learners.size))
  }
  learners.add(new WeakRef(learner))
}

/** Of everybody who has learnt in this governor. */
export function forgetTenant(session: Session, tenant: string): void {
  for (const learner of all.get(session) ?? []) learner.deref()?.forget(tenant)
}
