import type { Watcher } from '../native/waiting.js'
import type { Session } from '../session.js'

/** A request that holds its lock. The links are those of {@link HeldLocks}. */
export interface Held {
  previous: Held | undefined
  next: Held | undefined
  check(): void
  close(): void
}

/**
 * The locks that requests of one governor hold, to be told when they are lost. One watcher for all, because to register each lock
 * costs more than to take it; hence a list linked through its members.
 */
export class HeldLocks implements Watcher {
  private first: Held | undefined = undefined

  constructor(readonly owner: Session) {
    owner.waiting.watched.add(this)
  }

  add(held: Held): void {
    const { first } = this
    held.next = first
    if (first !== undefined) first.previous = held
    this.first = held
  }

  /** No effect on one that is not in the list any more. */
  delete(held: Held): void {
    const { previous, next } = held
    if (previous !== undefined) previous.next = next
    else if (this.first === held) this.first = next
    if (next !== undefined) next.previous = previous
    held.previous = undefined
    held.next = undefined
  }

  /** Some grant of this environment may have been lost: asks for each. */
  check(): void {
    for (const held of this.all()) held.check()
  }

  /** The governor was closed. */
  close(): void {
    this.owner.waiting.watched.delete(this)
    for (const held of this.all()) held.close()
  }

  /** All of them now: to look after one may take it out of the list. */
  private all(): Held[] {
    const all: Held[] = []
    for (let held = this.first; held !== undefined; held = held.next) all.push(held)
    return all
  }
}
